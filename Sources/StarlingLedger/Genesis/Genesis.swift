import StarlingCore

/// How a ledger begins: its name, who keeps it, and who has what. Everybody who has the same ``hash`` has the same.
public struct Genesis: Hashable, Sendable {
  /// What keeps the ledger's messages apart from other networks', 1 ... ``nameByteLimit`` bytes without spaces.
  public let network: String
  /// The keys of the nodes that keep the ledger, ascending.
  public let members: [PublicKey]
  /// b: how many of them may lie. One more than that know better than all liars together.
  public let byzantine: Int
  /// The initial balances in the smallest unit, 1 or more each (Algorithm 5: q₀).
  public let balances: [PublicKey: UInt64]
  /// All there ever is.
  public let supply: UInt64
  /// What names the ledger: SHA-256 over all of the above.
  public let hash: SHA256Digest

  /// The most bytes of the network's name.
  public static let nameByteLimit = 64
  /// The version of the file's format, and of what is hashed.
  public static let version = 1

  /// A genesis.
  ///
  /// - Throws: ``QuantityError`` with one sentence that says what does not fit.
  public init(
    network: String, members: [PublicKey], byzantine: Int, balances: [PublicKey: UInt64]
  ) throws(QuantityError) {
    guard (1...Genesis.nameByteLimit).contains(network.utf8.count),
      network.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") })
    else {
      throw QuantityError(
        "The network's name must have 1 to \(Genesis.nameByteLimit) ASCII characters without spaces and #.")
    }
    guard Set(members).count == members.count, !members.isEmpty else {
      throw QuantityError("A ledger is kept by one member or more, each named once.")
    }
    guard byzantine >= 0, 3 * byzantine < members.count else {
      throw QuantityError(
        "Of \(Quantity.count(members.count, "member")) no \(byzantine) may lie: it must be fewer than a third."
      )
    }
    var supply: UInt64 = 0
    for amount in balances.values {
      let (sum, overflow) = supply.addingReportingOverflow(amount)
      guard !overflow else {
        throw QuantityError("The balances add up to more than 18446744073709551615, the most there can be.")
      }
      supply = sum
    }
    guard balances.values.allSatisfy({ $0 > 0 }) else {
      throw QuantityError("An account begins with 1 or more: leave out those that have nothing.")
    }
    self.network = network
    self.members = members.sorted()
    self.byzantine = byzantine
    self.balances = balances
    self.supply = supply
    hash = Genesis.hash(network, self.members, byzantine, balances)
  }

  private static func hash(
    _ network: String, _ members: [PublicKey], _ byzantine: Int, _ balances: [PublicKey: UInt64]
  ) -> SHA256Digest {
    var writer = WireWriter(capacity: 1_024 + 32 * members.count + 40 * balances.count)
    writer.write(text: "starling genesis \(version)")
    writer.write(text: network)
    writer.write(integer: UInt32(clamping: byzantine))
    writer.write(integer: UInt32(clamping: members.count))
    for member in members { writer.write(raw: member.bytes) }
    writer.write(integer: UInt64(balances.count))
    for (account, amount) in balances.sorted(by: { $0.key < $1.key }) {
      writer.write(raw: account.bytes)
      writer.write(integer: amount)
    }
    return SHA256.hash(writer.bytes)
  }
}

extension Genesis {
  /// What nodes call their network, so that those with another genesis are not let in.
  public var networkName: String { "\(network) \(hash)" }

  /// The file's text.
  public var text: String {
    var lines = [
      "# How a ledger of Starling begins. All who keep it or pay in it need this file, byte for byte or line for line.",
      "starling-genesis \(Genesis.version)", "network \(network)", "byzantine \(byzantine)",
    ]
    lines += members.map { "member \($0)" }
    lines += balances.sorted { $0.key < $1.key }.map { "account \($0.key) \($0.value)" }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Parses a file's text: a word that says what it is and its values on each line. Blank lines, what follows a `#`, and the
  /// order of members and accounts mean nothing.
  ///
  /// - Throws: ``QuantityError`` with one sentence that names the line, or says what does not fit.
  public init(parsing text: String) throws(QuantityError) {
    var draft = GenesisDraft()
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      if !words.isEmpty { try draft.take(words, line: index + 1) }
    }
    try self.init(
      network: try draft.value(draft.network, "network NAME"), members: draft.members,
      byzantine: try draft.value(draft.byzantine, "byzantine COUNT"), balances: draft.balances)
  }
}

/// What the lines of a genesis have said so far.
private struct GenesisDraft {
  var version: Int?
  var network: String?
  var byzantine: Int?
  var members: [PublicKey] = []
  var balances: [PublicKey: UInt64] = [:]
  private var known: Set<PublicKey> = []

  mutating func take(_ words: [Substring], line: Int) throws(QuantityError) {
    switch (words[0], words.count) {
    case ("starling-genesis", 2) where version == nil:
      version = Int(words[1])
      guard version == Genesis.version else {
        throw QuantityError(
          "The genesis is of version \(words[1]) and this program knows version \(Genesis.version): use a newer program."
        )
      }
    case (_, _) where version == nil:
      throw QuantityError(
        "A genesis begins with the line 'starling-genesis \(Genesis.version)', and this file does not.")
    case ("network", 2) where network == nil: network = String(words[1])
    case ("byzantine", 2) where byzantine == nil && Int(words[1]) != nil: byzantine = Int(words[1])
    case ("member", 2):
      guard let key = PublicKey(hexadecimal: words[1].utf8), known.insert(key).inserted else {
        throw QuantityError(
          "Line \(line) is no member: write 'member' and its key of 64 hexadecimal digits, each key once.")
      }
      members.append(key)
    case ("account", 3):
      guard let key = PublicKey(hexadecimal: words[1].utf8), let amount = UInt64(words[2]),
        balances[key] == nil
      else {
        throw QuantityError(
          "Line \(line) is no account: write 'account', its key of 64 hexadecimal digits and a whole amount, each key once."
        )
      }
      balances[key] = amount
    default:
      throw QuantityError(
        "Line \(line) of the genesis says nothing that is known, or says it again: \(words[0].prefix(40).debugDescription)."
      )
    }
  }

  func value<Value>(_ value: Value?, _ form: String) throws(QuantityError) -> Value {
    guard let value else { throw QuantityError("The genesis lacks the line '\(form)'.") }
    return value
  }
}
