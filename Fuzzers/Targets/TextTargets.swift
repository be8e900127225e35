import StarlingCore
import StarlingOverlay

@testable import StarlingRuntime

let textTargets = [
  FuzzTarget("address") {
    ["127.0.0.1:4000", "[::1]:80", "[2001:db8::1:0:0:2]:65535", "1.2.3.4:0"].map { Array($0.utf8) }
  } run: { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    _ = ControlServer.isAddress(text)
    guard let address = SocketAddress(text) else { return }
    promise(SocketAddress(address.description) == address, "an address is read as it is written")
  },
  FuzzTarget("quantity") {
    [
      "50ms", "1.5min", "1000000h", "64KiB", "2.5GiB", "5%", "0.05", "1e-3", "gaussian:50ms,10ms",
      "uniform:20ms,80ms", "lognormal:60ms,0.5", "constant:0", "keys:x,puzzle:20,limit:10/min",
      "limit:1/1.5h",
    ].map { Array($0.utf8) }
  } run: {
    checkQuantities(String(decoding: $0, as: UTF8.self))
  },
  FuzzTarget("keylist") {
    [Array("# ours\n\(FuzzDirectory.key(1))\n\n \(FuzzDirectory.key(2)) # two\r\n".utf8)]
  } run: { bytes in
    guard let list = try? KeyList(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
    promise(list.count * 64 <= bytes.count, "every key takes 64 digits")
  },
  FuzzTarget("matrix") {
    [Array("# two\n0 10.5\n10.5 0\n".utf8), Array("0 -1 3\n-1 0 4\n3 4 0".utf8)]
  } run: { bytes in
    guard let matrix = try? LatencyMatrix(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
    promise((1...LatencyMatrix.rowsLimit).contains(matrix.rows), "a matrix has rows")
    for i in 0..<min(matrix.rows, 8) {
      for j in 0..<min(matrix.rows, 8) {
        promise(matrix.delay(from: i, to: j) >= .zero, "no delay is negative")
      }
    }
  },
  FuzzTarget("json") {
    [Array("a\"\\\n\u{1F600}".utf8), Array("plain".utf8)]
  } run: { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    let written = JSONValue.object([(text, .array([.string(text), .null, .number(Double(bytes.count) / 3)]))])
    for isIndented in [false, true] {
      let again = try? ControlCoding.decode(
        [String: [FuzzScalar]].self, from: Array(written.text(indented: isIndented).utf8))
      promise(again?.count == 1 && again?.values.first?.first == .text(text), "our JSON is JSON")
    }
  },
  FuzzTarget("control") {
    let objects: [any Encodable] = [
      ControlStatus(), ControlPeers(peers: []), ControlPublication(file: "a", digest: "b", bytes: 3),
    ]
    return objects.compactMap { try? ControlCoding.encode($0) }
  } run: { bytes in
    if let status = try? ControlCoding.decode(ControlStatus.self, from: bytes) {
      let again = (try? ControlCoding.encode(status)).flatMap {
        try? ControlCoding.decode(ControlStatus.self, from: $0)
      }
      promise(again == status, "a status is read as it is written")
    }
    _ = try? ControlCoding.decode(ControlPeers.self, from: bytes)
    _ = try? ControlCoding.decode(ControlFiles.self, from: bytes)
    _ = try? ControlCoding.decode(ControlEvent.self, from: bytes)
    _ = try? ControlCoding.decode(ControlPublication.self, from: bytes)
  },
]

/// A text, a number or nothing, as it comes from JSON.
private enum FuzzScalar: Decodable, Equatable {
  case text(String)
  case other

  init(from decoder: any Decoder) throws {
    let text = try? decoder.singleValueContainer().decode(String.self)
    self = text.map { .text($0) } ?? .other
  }
}

private func checkQuantities(_ text: String) {
  if let duration = try? Quantity.duration(text) {
    promise(duration >= .zero && duration <= Quantity.longestDuration, "a duration is in its range")
    promise(
      (try? Quantity.duration(Quantity.text(of: duration))) == duration, "a duration is read as it is written"
    )
  }
  if let size = try? Quantity.size(text) { promise((0...(1 << 53)).contains(size), "a size is in its range") }
  if let share = try? Quantity.share(text) { promise((0...1).contains(share), "a share is in its range") }
  if let number = try? Quantity.number(text) { promise(number >= 0, "a number is not negative") }
  if let model = try? DelayModel.parse(text, readFile: { _ in throw QuantityError("no files here.") }) {
    let again = try? DelayModel.parse(
      model.description, readFile: { _ in throw QuantityError("no files here.") })
    promise(again == model, "a delay model is read as it is written")
  }
  if let rules = try? AdmissionRule.parse(text) {
    promise(
      (try? AdmissionRule.parse(rules.map(\.text).joined(separator: ","))) == rules,
      "rules are read as they are written")
  }
}
