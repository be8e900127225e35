import StarlingCore

/// The keys that may join, as an operator lists them.
public struct KeyList: AdmissionPolicy, Equatable {
  private let keys: Set<PublicKey>

  /// A list of these keys.
  public init(_ keys: some Sequence<PublicKey>) { self.keys = Set(keys) }

  /// Reads a list: one key of 64 hexadecimal digits a line, in either case; `#` begins a comment, and empty
  /// lines count for nothing.
  ///
  /// - Throws: ``QuantityError`` with the number of the first line that holds anything else.
  public init(parsing text: String) throws(QuantityError) {
    var keys: Set<PublicKey> = []
    // Lines are told apart by bytes: to Swift a carriage return and a line feed are one character.
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (i, line) in lines.enumerated() {
      let content = line.prefix { $0 != UInt8(ascii: "#") }.filter { !KeyList.isSpace($0) }
      guard !content.isEmpty else { continue }
      guard let key = PublicKey(hexadecimal: content) else {
        throw QuantityError(
          "Line \(i + 1) is not a key; a line holds one key of 64 hexadecimal digits, or a comment after #.")
      }
      keys.insert(key)
    }
    self.keys = keys
  }

  /// How many different keys are listed.
  public var count: Int { keys.count }

  /// Refuses keys that are not listed.
  public func refusal(of key: PublicKey) -> AdmissionRefusal? { keys.contains(key) ? nil : .notListed }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }
}
