import StarlingCore

/// A short message of its author, with the author's number for it.
public struct Post: Hashable, Sendable {
  /// The most bytes of a post.
  public static let byteLimit = 4_096

  /// Its number among the author's posts, which only grows.
  public let number: UInt64
  /// What it says.
  public let contents: [UInt8]

  /// - Parameters:
  ///   - number: above those of the author's earlier posts.
  ///   - contents: at most ``byteLimit`` bytes.
  public init(number: UInt64, contents: [UInt8]) {
    self.number = number
    self.contents = contents
  }

  /// What the post takes of a batch.
  var encodedByteCount: Int { 8 + 2 + contents.count }
}

/// Posts of one author that travel together: one broadcast of a secure network, with an entry for each.
public struct PostBatch: Hashable, Sendable {
  /// Tells a batch of posts from the messages of file sharing.
  static let kind: UInt8 = 3
  private static let headerByteCount = 1 + PublicKey.byteCount + 2

  /// Who says it.
  public let author: PublicKey
  /// The posts, in ascending order of their numbers.
  public let posts: [Post]

  /// - Parameters:
  ///   - author: who says it.
  ///   - posts: in ascending order of their numbers.
  public init(author: PublicKey, posts: [Post]) {
    self.author = author
    self.posts = posts
  }

  /// Puts posts into as few batches as bounds allow, in their order.
  ///
  /// - Parameters:
  ///   - posts: in ascending order of their numbers.
  ///   - author: who says them.
  ///   - entryLimit: the most posts of a batch, 1 or more.
  ///   - byteLimit: the most bytes of one; every post fits one alone.
  public static func batches(
    of posts: [Post], by author: PublicKey, entryLimit: Int, byteLimit: Int
  ) -> [PostBatch] {
    var batches: [PostBatch] = []
    var (current, byteCount): ([Post], Int) = ([], headerByteCount)
    for post in posts {
      if current.count == entryLimit || (!current.isEmpty && byteCount + post.encodedByteCount > byteLimit) {
        batches.append(PostBatch(author: author, posts: current))
        (current, byteCount) = ([], headerByteCount)
      }
      current.append(post)
      byteCount += post.encodedByteCount
    }
    if !current.isEmpty { batches.append(PostBatch(author: author, posts: current)) }
    return batches
  }

  /// Whether a payload is a batch of posts, as far as its first byte tells.
  public static func isMeant(by payload: [UInt8]) -> Bool { payload.first == kind }

  /// The encoded form: a kind byte, the author's key, a count, and of each post number, length and contents.
  public var encoded: [UInt8] {
    var writer = WireWriter(
      capacity: posts.reduce(PostBatch.headerByteCount) { $0 + $1.encodedByteCount })
    writer.write(PostBatch.kind)
    writer.write(raw: author.bytes)
    writer.write(integer: UInt16(posts.count))
    for post in posts {
      writer.write(integer: post.number)
      writer.write(integer: UInt16(post.contents.count))
      writer.write(raw: post.contents)
    }
    return writer.bytes
  }

  /// Takes a batch apart.
  ///
  /// - Parameters:
  ///   - payload: its encoded form.
  ///   - entryLimit: the most posts that it may have.
  /// - Throws: ``WireError`` when it is none, has too many posts, or their numbers do not ascend.
  public init(encoded payload: [UInt8], entryLimit: Int) throws(WireError) {
    var reader = WireReader(payload)
    guard try reader.readByte() == PostBatch.kind else { throw .invalid("a batch of unknown kind") }
    guard let author = PublicKey(try reader.read(count: PublicKey.byteCount)) else {
      throw .invalid("a public key of the wrong length")
    }
    let count = Int(try reader.read(UInt16.self))
    guard count <= entryLimit else {
      throw .invalid("a batch of \(count) posts, where \(entryLimit) are allowed")
    }
    var posts: [Post] = []
    for _ in 0..<count {
      let number = try reader.read(UInt64.self)
      let length = Int(try reader.read(UInt16.self))
      // Where numbers end an author would, too.
      guard length <= Post.byteLimit, number < .max, posts.last.map({ $0.number < number }) ?? true else {
        throw .invalid("a post that is too long or out of order")
      }
      posts.append(Post(number: number, contents: try reader.read(count: length)))
    }
    try reader.finish()
    self.init(author: author, posts: posts)
  }
}
