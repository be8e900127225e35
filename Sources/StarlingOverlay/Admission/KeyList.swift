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

extension PublicKey {
  /// The key with these 64 hexadecimal digits, in either case; `nil` for anything else.
  init?(hexadecimal digits: some Sequence<UInt8>) {
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in digits {
      guard bytes.count < PublicKey.byteCount, let value = PublicKey.value(ofDigit: digit) else { return nil }
      if let known = high {
        bytes.append(known << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    guard high == nil else { return nil }
    self.init(bytes)
  }

  private static func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
