import StarlingCore

/// How far a node has come in a secure broadcast, as it remembers it from run to run: the number of the batch that it
/// delivers next, of each sender. What it delivered after it was written down may be delivered again.
struct SecureProgress {
  /// Tells this from what nodes with other broadcasts remember.
  private static let label = "starling secure progress 1"

  var next: [(sender: Peer, number: UInt64)]

  /// The encoded form: a label, a count, and of each sender key and number.
  func encoded(peers: borrowing some PeerDirectory) -> [UInt8] {
    var writer = WireWriter(capacity: 64 + 40 * next.count)
    writer.write(text: SecureProgress.label)
    writer.write(integer: UInt32(next.count))
    // In an order that depends on nothing but what is written.
    var rows: [(key: [UInt8], number: UInt64)] = []
    for (sender, number) in next { rows.append((peers.record(of: sender).key.bytes, number)) }
    for row in rows.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      writer.write(raw: row.key)
      writer.write(integer: row.number)
    }
    return writer.bytes
  }

  /// Takes it apart; what is about nobody of these peers is left out.
  ///
  /// - Throws: ``WireError`` when the bytes are something else.
  init(encoded bytes: [UInt8], members: PeerSet, peers: borrowing some PeerDirectory) throws(WireError) {
    var reader = WireReader(bytes)
    guard try reader.readText(limit: 64) == SecureProgress.label else { throw .invalid("another memory") }
    var numbers: [[UInt8]: UInt64] = [:]
    for _ in 0..<(try reader.read(UInt32.self)) {
      numbers[try reader.read(count: PublicKey.byteCount)] = try reader.read(UInt64.self)
    }
    try reader.finish()
    next = []
    for member in members.members {
      if let number = numbers[peers.record(of: member).key.bytes] { next.append((member, number)) }
    }
  }

  init(next: [(sender: Peer, number: UInt64)]) { self.next = next }
}
