/// The bytes that hexadecimal digits stand for, two a byte and in either case; `nil` for anything else.
public func bytes(hexadecimal digits: some Collection<UInt8>) -> [UInt8]? {
  guard digits.count.isMultiple(of: 2) else { return nil }
  // At once for what lies in memory: transfers come in thousands.
  if let bytes = digits.withContiguousStorageIfAvailable(StarlingCore.bytes(ofDigits:)) { return bytes }
  return Array(digits).withUnsafeBufferPointer(StarlingCore.bytes(ofDigits:))
}

private func bytes(ofDigits digits: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(digits.count / 2)
  for i in stride(from: 0, to: digits.count, by: 2) {
    guard let high = PublicKey.value(ofDigit: digits[i]), let low = PublicKey.value(ofDigit: digits[i + 1])
    else { return nil }
    bytes.append(high << 4 | low)
  }
  return bytes
}

extension SHA256Digest {
  /// The digest with these 64 hexadecimal digits, in either case; `nil` for anything else.
  public init?(hexadecimal digits: some Collection<UInt8>) {
    guard digits.count == 2 * SHA256Digest.byteCount, let bytes = StarlingCore.bytes(hexadecimal: digits)
    else {
      return nil
    }
    self.init(bytes)
  }
}
