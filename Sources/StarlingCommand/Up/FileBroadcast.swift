import Glibc
import StarlingCore
import StarlingRuntime

/// Broadcasts files over a network one after another, and measures how each spreads.
struct FileBroadcast {
  let network: LocalNetwork
  let watch: DeliveryWatch
  let timeout: Interval

  /// Prepares to listen to all nodes.
  init(_ network: LocalNetwork, timeout: Interval) throws(CommandError) {
    self.network = network
    self.timeout = timeout
    watch = DeliveryWatch(network.nodes)
    let deadline = ContinuousClock.now + .seconds(30)
    while watch.opened < network.nodes.count {
      try network.check()
      guard ContinuousClock.now < deadline else {
        throw .failed("Some nodes do not answer: try fewer with --nodes.")
      }
      usleep(10_000)
    }
  }

  /// Publishes a file at a random node, and waits until every node has it, one gave it up, or the time is
  /// over.
  func broadcast(_ path: String, _ progress: inout Progress) throws(CommandError) -> NetworkResult.File {
    let publisher = network.randomNode()
    let start = ContinuousClock.now
    let publication = try explaining { try publisher.client.publish(file: path) }
    let others = network.nodes.count - 1
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let deadline = start + .nanoseconds(timeout.nanoseconds)
    while true {
      let holders = watch.deliveries(of: publication.file).keys.filter { $0 != publisher.index }.count
      progress.report("delivering \(printable(name))", holders, of: others)
      let isOver = !watch.failures(of: publication.file).isEmpty || ContinuousClock.now >= deadline
      if holders == others || isOver { break }
      try network.check()
      usleep(20_000)
    }
    return try result(path, name, publication, publisher, since: start)
  }

  /// How a file spread, as far as it has.
  func result(
    _ path: String, _ name: String, _ publication: ControlPublication, _ publisher: NodeProcess,
    since start: ContinuousClock.Instant
  ) throws(CommandError) -> NetworkResult.File {
    let (digest, bytes) = try FileDigest.compute(path)
    let published = try explaining { try publisher.client.files() }.last { $0.file == publication.file }
    let deliveries = watch.deliveries(of: publication.file)
    let paths = network.nodes.map { node in
      node.index == publisher.index ? published?.path : deliveries[node.index]?.path
    }
    return NetworkResult.File(
      name: name, bytes: bytes, sha256: digest.description, chunks: published?.chunks ?? 0,
      publisher: network.nodes.firstIndex { $0.index == publisher.index } ?? 0,
      latencies: network.nodes.map { node in
        deliveries[node.index].map { Readable.milliseconds($0.instant - start) }
      },
      // What a node has stored is read and hashed here: a node's own word would prove little.
      digestsMatch: paths.map { path in
        path.flatMap { try? FileDigest.compute($0) }.map { $0 == (digest, bytes) } ?? false
      }, parents: try network.parents(of: publication.file))
  }
}

/// The SHA-256 of a file, read piece by piece.
enum FileDigest {
  /// The digest, and how many bytes there were.
  static func compute(_ path: String) throws(CommandError) -> (digest: SHA256Digest, bytes: Int) {
    _ = try InputFile.size(path)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .failed("\(quoted(path)) could not be read.") }
    defer { close(descriptor) }
    var hash = SHA256()
    var bytes = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw .failed("\(quoted(path)) could not be read: \(String(cString: strerror(errno))).")
      }
      if count == 0 { return (hash.finish(), bytes) }
      hash.update(buffer[..<count])
      bytes += count
    }
  }
}
