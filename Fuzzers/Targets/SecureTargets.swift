import StarlingApps
import StarlingBroadcast
import StarlingCore
import StarlingLedger

@testable import StarlingNode

let secureTargets = [
  FuzzTarget("secure") {
    secureSeeds
  } run: { bytes in
    checkRoundTrip(of: SecureMember.Message.self, bytes)
  },
  FuzzTarget("ledgermessage") {
    ledgerSeeds
  } run: { bytes in
    checkRoundTrip(of: LedgerMessage.self, bytes)
    var (reader, directory) = (WireReader(bytes), FuzzDirectory())
    guard let message = try? LedgerMessage.decode(from: &reader, peers: &directory) else { return }
    promise(message.encodedByteCount == bytes.count - reader.remaining, "a message knows its size")
    if case .words(_, _, _, let words) = message {
      promise(words.count <= LedgerMessage.wordLimit, "there are no more words than were asked for")
      promise(
        words.allSatisfy { $0.refused.count <= BatchLimits.entries }, "nobody refuses more than a batch has")
    }
  },
  FuzzTarget("batch") {
    [sampleBatch.encoded, [1, 2, 3], []]
  } run: { bytes in
    guard let batch = try? NodeBatch(encoded: bytes) else { return }
    promise(batch.entryCount <= BatchLimits.entries, "a batch has no more entries than it may")
    promise(batch.encoded == bytes, "a batch is what came")
    if let posts = batch.posts { promise(posts.encoded == bytes, "posts have one encoded form") }
    var numbers = (0..<batch.entryCount).map { batch.entry(at: $0).sequence }
    promise(Set(numbers).count == numbers.count, "no number comes twice")
    numbers.sort()
    if batch.entryCount > 1 {
      promise(batch.encoded(of: [0]).count < bytes.count, "one post is shorter than all")
    }
  },
  FuzzTarget("members") {
    [
      Array(
        "# ours\n\(FuzzDirectory.key(1)) 10.0.0.1:4400\n\n \(FuzzDirectory.key(2)) [2001:db8::1]:1 # two\r\n"
          .utf8)
    ]
  } run: { bytes in
    guard let list = try? MemberList(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
    promise(list.members.count * 66 <= bytes.count, "every member takes a key and an address")
    promise((try? MemberList(parsing: list.text)) == list, "a list that is written is read again")
  },
]

/// One ledger's message of each kind.
private var ledgerSeeds: [[UInt8]] {
  guard let signature = Ed25519Signature([UInt8](repeating: 5, count: Ed25519Signature.byteCount)) else {
    return []
  }
  let range = HistoryRange(sender: 3, from: 7, count: 9)
  let number = TransferNumber(account: FuzzDirectory.key(1), sequence: 4)
  let digest = SHA256.hash([])
  let messages: [LedgerMessage] = [
    .askProgress(from: 0), .progress(from: 1, [7, .max]), .askWords(range),
    .words(
      sender: 3, from: 7, next: 12,
      [
        DeliveryWord(digest: digest, refused: [], unready: []),
        DeliveryWord(digest: digest, refused: [0, 5], unready: [5]),
      ]),
    .askBatches(range),
    .batches(
      sender: 3, from: 7,
      [
        CarriedBatch(signature: signature, encoded: sampleBatch.encoded),
        CarriedBatch(signature: signature, encoded: []),
      ]),
    .askConfirmation(number), .confirmation(number, signature),
  ]
  return messages.map { message in
    var writer = WireWriter()
    message.encode(into: &writer, peers: FuzzDirectory())
    return writer.bytes
  }
}

private let sampleBatch = PostBatch(
  author: FuzzDirectory.key(3),
  posts: [Post(number: 7, contents: [1, 2]), Post(number: 9, contents: [])])

/// One message of each kind, of each broadcast.
private var secureSeeds: [[UInt8]] {
  typealias Vote = StarlingBroadcast.Vote<KeySecureAuthenticator>
  guard let payload = try? NodeBatch(encoded: sampleBatch.encoded),
    let signature = Ed25519Signature([UInt8](repeating: 5, count: Ed25519Signature.byteCount))
  else { return [] }
  let instance = MessageIdentifier(origin: Peer(2), sequence: 4)
  let batch = SignedBatch<KeySecureAuthenticator>(
    identifier: instance, payload: payload, signature: signature, hops: 1)
  let vote = Vote(
    identifier: instance, digest: batch.digest, signature: signature, refused: [0, 3], hops: 2)
  let messages: [SecureMember.Message] = [
    .bracha(.send(batch)), .bracha(.echo(vote)), .bracha(.ready(vote)), .bracha(.renew),
    .bracha(.fetch(instance, batch.digest)), .bracha(.supply(batch)), .echo(.gossip(.gossip(batch))),
    .echo(.gossip(.subscribe)), .echo(.gossip(.renew)), .echo(.subscribe), .echo(.echo(vote)),
    .ready(.echo(.echo(vote))), .ready(.subscribe), .ready(.ready(vote)),
    .ready(.fetch(instance, batch.digest)), .ready(.supply(batch)),
  ]
  return messages.map { message in
    var writer = WireWriter()
    message.encode(into: &writer, peers: FuzzDirectory())
    return writer.bytes
  }
}
