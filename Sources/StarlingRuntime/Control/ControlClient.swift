import CStarlingShims
import Glibc
import StarlingApps
import StarlingCore

/// The control interface from the other side: what the command line asks a running node. Every call blocks.
public struct ControlClient: Sendable {
  /// Where the node's control interface listens.
  public let address: SocketAddress
  /// How long an answer may take.
  public var timeout = Interval.seconds(30)

  /// A client for the node whose control interface listens at `address`; nothing is sent yet.
  public init(_ address: SocketAddress) { self.address = address }

  /// What the node says about itself.
  ///
  /// - Throws: ``HostError`` when no node answers, or it refuses.
  public func status() throws(HostError) -> ControlStatus {
    try ControlCoding.decode(ControlStatus.self, from: get("status"))
  }

  /// The peers that the node knows.
  public func peers() throws(HostError) -> [ControlPeer] {
    try ControlCoding.decode(ControlPeers.self, from: get("peers")).peers
  }

  /// The members of the node's secure network; none if it has none.
  public func members() throws(HostError) -> [ControlMember] {
    try ControlCoding.decode(ControlMembers.self, from: get("members")).members
  }

  /// The files that the node has published or received, or is about to.
  public func files() throws(HostError) -> [ControlFile] {
    try ControlCoding.decode(ControlFiles.self, from: get("files")).files
  }

  /// The node's answer to `GET /api/v1/` and `what`, as it comes: `status`, `peers` or `files`.
  public func json(_ what: String) throws(HostError) -> String {
    String(decoding: try get(what), as: UTF8.self)
  }

  /// Publishes a file.
  ///
  /// - Parameters:
  ///   - path: where the file is; it is handed to the node as a whole.
  ///   - name: the name it is published under; the last component of the path if `nil`.
  ///   - topic: a label of 0 ... 64 bytes by which receivers choose.
  /// - Throws: ``HostError`` when the file cannot be read, or the node refuses.
  public func publish(
    file path: String, name: String? = nil, topic: String = ""
  ) throws(HostError) -> ControlPublication {
    let what = "The file \"\(path)\" could not be read"
    let file = try FileDescriptor(starling_open(path, O_RDONLY | O_NONBLOCK, 0), orThrow: what)
    var status = stat()
    guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw HostError("\"\(path)\" is not a file.")
    }
    let name = name ?? path.split(separator: "/").last.map(String.init) ?? path
    let query = "name=\(ControlClient.escaped(name))&topic=\(ControlClient.escaped(topic))"
    var client = try HTTPClient(connectingTo: address, timeout: timeout)
    try client.sendHead("POST", "/api/v1/files?" + query, contentLength: UInt64(clamping: status.st_size))
    try ControlClient.send(file, byteCount: Int(status.st_size), over: client, path: path)
    return try ControlCoding.decode(
      ControlPublication.self, from: try ControlClient.body(of: &client))
  }

  /// Has the node broadcast posts.
  ///
  /// - Parameters:
  ///   - text: a post a line, each of at most 4,096 bytes.
  ///   - batch: how many travel together at most, 1 to 1,024.
  /// - Throws: ``HostError`` when the node refuses: it takes part in no secure broadcast, or too many wait.
  public func post(_ text: [UInt8], batch: Int) throws(HostError) -> ControlPosting {
    var client = try HTTPClient(connectingTo: address, timeout: timeout)
    try client.sendHead("POST", "/api/v1/posts?batch=\(batch)", contentLength: UInt64(text.count))
    _ = try client.send(text[...])
    return try ControlCoding.decode(ControlPosting.self, from: try ControlClient.body(of: &client))
  }

  /// Listens for posts until `each` has had enough, the node stops, or the time is up.
  ///
  /// - Parameters:
  ///   - timeout: how long to listen; for ever if `nil`.
  ///   - opened: called once, when no post can be missed any more.
  ///   - each: called for every post; false ends the listening.
  /// - Throws: ``HostError`` when no node answers, it refuses, or the time is up.
  public func posts(
    timeout: Interval? = nil, opened: () -> Void = {}, each: (ControlPost) -> Bool
  ) throws(HostError) {
    try listen("/api/v1/posts", timeout: timeout, opened: opened) { data throws(HostError) in
      each(try ControlCoding.decode(ControlPost.self, from: data))
    }
  }

  /// Listens for events until `each` has had enough, the node stops, or the time is up.
  ///
  /// - Parameters:
  ///   - topic: whose events; those of all topics if `nil`.
  ///   - timeout: how long to listen; for ever if `nil`.
  ///   - opened: called once, when no event can be missed any more.
  ///   - each: called for every event; false ends the listening.
  /// - Throws: ``HostError`` when no node answers, it refuses, or the time is up.
  public func events(
    topic: String? = nil, timeout: Interval? = nil, opened: () -> Void = {}, each: (ControlEvent) -> Bool
  ) throws(HostError) {
    let query = topic.map { "?topic=" + ControlClient.escaped($0) } ?? ""
    try listen("/api/v1/events" + query, timeout: timeout, opened: opened) { data throws(HostError) in
      each(try ControlCoding.decode(ControlEvent.self, from: data))
    }
  }

  private func listen(
    _ path: String, timeout: Interval?, opened: () -> Void, each: ([UInt8]) throws(HostError) -> Bool
  ) throws(HostError) {
    var client = try HTTPClient(connectingTo: address, timeout: timeout)
    try client.sendHead("GET", path)
    try ControlClient.check(try client.readStatus(), &client)
    var isOpen = false
    while let line = try client.readLine() {
      // The first line, a comment, says that the stream is up.
      if !isOpen {
        isOpen = true
        opened()
      }
      guard line.hasPrefix("data: ") else { continue }
      if !(try each(Array(line.utf8.dropFirst(6)))) { return }
    }
  }

  private func get(_ what: String) throws(HostError) -> [UInt8] {
    var client = try HTTPClient(connectingTo: address, timeout: timeout)
    try client.sendHead("GET", "/api/v1/" + what)
    return try ControlClient.body(of: &client)
  }

  private static func send(
    _ file: borrowing FileDescriptor, byteCount: Int, over client: borrowing HTTPClient, path: String
  ) throws(HostError) {
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    var left = byteCount
    while left > 0 {
      let count = read(file.number, &buffer, min(buffer.count, left))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw HostError("The file \"\(path)\" could not be read", errno: errno) }
      guard count > 0 else { throw HostError("The file \"\(path)\" was cut short while it was read.") }
      left -= count
      // A server that has heard enough answers and closes; the answer says why.
      guard try client.send(buffer[..<count]) else { return }
    }
  }

  private static func body(of client: inout HTTPClient) throws(HostError) -> [UInt8] {
    try check(try client.readStatus(), &client)
    return try client.readBody()
  }

  private static func check(_ status: Int, _ client: inout HTTPClient) throws(HostError) {
    guard status >= 300 else { return }
    let body = try client.readBody()
    let failure = try? ControlCoding.decode(ControlFailure.self, from: body)
    throw HostError(failure?.error ?? "The node refused with status \(status).")
  }

  /// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3.
  private static func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return text.utf8.map { byte in
      let scalar = Unicode.Scalar(byte)
      if byte < 128,
        scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
          || "-._~".unicodeScalars.contains(scalar)
      {
        return String(scalar)
      }
      return "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }.joined()
  }
}
