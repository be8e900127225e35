import StarlingCore

/// One rule of a policy, as a user writes it.
public enum AdmissionRule: Hashable, Sendable {
  /// Everybody may join: `open`.
  case open
  /// Only the keys in a file may: `keys:FILE`.
  case keys(file: String)
  /// Only keys with so many bits of a puzzle may: `puzzle:20`.
  case puzzle(bits: Int)
  /// A contact may introduce so many in a time: `limit:10/min`.
  case limit(count: Int, per: Interval)

  /// How rules are written.
  public static let forms = "open, keys:FILE, puzzle:BITS or limit:COUNT/TIME"

  /// Parses rules parted by commas, all of which must let a peer in: `puzzle:20,limit:10/min`.
  ///
  /// - Throws: ``QuantityError`` with one sentence.
  public static func parse(_ text: String) throws(QuantityError) -> [AdmissionRule] {
    var rules: [AdmissionRule] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      rules.append(try AdmissionRule(String(part)))
    }
    return rules
  }

  /// Parses one rule.
  ///
  /// - Throws: ``QuantityError`` with one sentence.
  public init(_ text: String) throws(QuantityError) {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let argument = halves.count == 2 ? String(halves[1]) : nil
    switch (halves[0], argument) {
    case ("open", nil): self = .open
    case ("keys", let file?) where !file.isEmpty: self = .keys(file: file)
    case ("puzzle", let bits?): self = .puzzle(bits: try AdmissionRule.bits(bits))
    case ("limit", let rate?): self = try AdmissionRule.limit(rate)
    default:
      throw QuantityError("\"\(text)\" is no rule of who may join; write \(AdmissionRule.forms).")
    }
  }

  /// Parses the bits of a puzzle.
  ///
  /// - Returns: 0 ... ``KeyPuzzle/bitsLimit``.
  public static func bits(_ text: String) throws(QuantityError) -> Int {
    guard text.utf8.allSatisfy({ (48...57).contains($0) }), let bits = Int(text),
      bits <= KeyPuzzle.bitsLimit
    else {
      throw QuantityError("A puzzle has 0 to \(KeyPuzzle.bitsLimit) bits, not \"\(text)\".")
    }
    return bits
  }

  private static func limit(_ text: String) throws(QuantityError) -> AdmissionRule {
    let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard halves.count == 2, !halves[1].isEmpty else {
      throw QuantityError("\"\(text)\" is no limit; write it like 10/min or 100/2h.")
    }
    guard halves[0].utf8.allSatisfy({ (48...57).contains($0) }), let count = Int(halves[0]),
      (1...ContactLimit.countLimit).contains(count)
    else {
      throw QuantityError(
        "A contact's limit is 1 to \(ContactLimit.countLimit) peers in a time, not \"\(halves[0])\".")
    }
    let isUnitAlone = halves[1].first?.isLetter ?? false
    let interval = try Quantity.duration(isUnitAlone ? "1" + halves[1] : halves[1])
    guard interval > .zero, interval <= ContactLimit.longestInterval else {
      throw QuantityError("A contact's limit is about a time of more than 0s and at most 24h.")
    }
    return .limit(count: count, per: interval)
  }

  /// The policy that follows from rules.
  ///
  /// - Parameters:
  ///   - rules: all must let a peer in; none at all is an open door.
  ///   - read: reads the text of a file.
  /// - Throws: what `read` throws, and ``QuantityError`` for a list with a wrong line.
  public static func policy(
    of rules: [AdmissionRule], reading read: (String) throws -> String
  ) throws -> any AdmissionPolicy {
    var policies: [any AdmissionPolicy] = []
    for rule in rules {
      switch rule {
      case .open: policies.append(OpenPolicy())
      case .puzzle(let bits): policies.append(KeyPuzzle(bits: bits))
      case .limit(let count, let interval): policies.append(ContactLimit(count: count, per: interval))
      case .keys(let file):
        let text = try read(file)
        do throws(QuantityError) {
          policies.append(try KeyList(parsing: text))
        } catch {
          throw QuantityError("The list of keys \"\(file)\" cannot be used: \(error.description)")
        }
      }
    }
    return policies.count == 1 ? policies[0] : AllOfPolicies(policies)
  }

  /// The rule as it is written.
  public var text: String {
    switch self {
    case .open: "open"
    case .keys(let file): "keys:\(file)"
    case .puzzle(let bits): "puzzle:\(bits)"
    case .limit(let count, let interval): "limit:\(count)/\(Quantity.text(of: interval))"
    }
  }
}
