import StarlingCore

/// The members of a secure broadcast as a file has them: a line for each, its key and where it listens. Blank lines and
/// what follows a `#` mean nothing.
public struct MemberList: Hashable, Sendable {
  /// More members than a list may have. The table of peers has room for no more.
  public static let limit = 32_768

  /// The members in the order of the file.
  public let members: [PeerRecord]

  /// A list of these members.
  public init(_ members: [PeerRecord]) { self.members = members }

  /// Parses a file's text.
  ///
  /// - Throws: ``QuantityError`` with one sentence that names the line.
  public init(parsing text: String) throws(QuantityError) {
    var members: [PeerRecord] = []
    var (keys, addresses): (Set<PublicKey>, Set<SocketAddress>) = ([], [])
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      if words.isEmpty { continue }
      guard words.count == 2, let key = PublicKey(hexadecimal: words[0].utf8),
        let address = SocketAddress(String(words[1])), address.port > 0
      else {
        throw QuantityError(
          "Line \(index + 1) is no member: write its key of 64 hexadecimal digits and its address, as in 192.0.2.7:4400."
        )
      }
      guard keys.insert(key).inserted, addresses.insert(address).inserted else {
        throw QuantityError(
          "Line \(index + 1) has a key or an address that another line has: give each once.")
      }
      members.append(PeerRecord(key: key, address: address))
      guard members.count <= MemberList.limit else {
        throw QuantityError("There are more than \(MemberList.limit) members, which no node has room for.")
      }
    }
    self.members = members
  }

  /// The file's text.
  public var text: String {
    "# The members of a secure broadcast: key and address.\n"
      + members.map { "\($0.key) \($0.address?.description ?? "")\n" }.joined()
  }
}
