import StarlingApps
import StarlingBroadcast
import StarlingCore

@testable import StarlingNode

let secureTargets = [
  FuzzTarget("secure") {
    secureSeeds
  } run: { bytes in
    checkRoundTrip(of: SecureMember.Message.self, bytes)
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
