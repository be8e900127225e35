import StarlingCore

extension TransferNumber: CustomStringConvertible {
  /// What names a transfer in texts: the account, a hyphen, and the number in decimal digits.
  public var description: String { "\(account)-\(sequence)" }

  /// The place that this text names as ``description`` writes it: 64 lower-case hexadecimal digits, a hyphen, and decimal
  /// digits without zeros before them; `nil` for anything else. So one place has one name.
  public init?(_ text: some StringProtocol) {
    let digits = Array(text.utf8.prefix(TransferNumber.digitLimit + 1))
    guard digits.count <= TransferNumber.digitLimit,
      let account = PublicKey(hexadecimal: digits.prefix(2 * PublicKey.byteCount)),
      let sequence = UInt64(String(decoding: digits.dropFirst(2 * PublicKey.byteCount + 1), as: UTF8.self))
    else { return nil }
    self.init(account: account, sequence: sequence)
    // Another text for it: upper-case digits, zeros in front, a plus sign, something else than a hyphen.
    guard digits.elementsEqual(description.utf8) else { return nil }
  }

  /// A key, a hyphen, and the digits of 64 bits.
  private static let digitLimit = 2 * PublicKey.byteCount + 1 + 20
}
