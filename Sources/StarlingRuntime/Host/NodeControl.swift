import StarlingApps
import StarlingCore
import StarlingNode

/// Brings the control interface's questions to the node's thread, and its answers back.
struct NodeControl: ControlService {
  let mailbox: Mailbox<NodeDriver>
  let directory: DataDirectory

  func status(_ reply: HTTPReply) { ask(reply) { reply.send($0.controlStatus) } }

  func peers(_ reply: HTTPReply) { ask(reply) { reply.send($0.controlPeers) } }

  func members(_ reply: HTTPReply) { ask(reply) { reply.send($0.controlMembers) } }

  func files(_ reply: HTTPReply) { ask(reply) { reply.send($0.controlFiles) } }

  func posts(batchLimit: Int) -> any HTTPUpload { PostUpload(batchLimit: batchLimit, control: self) }

  func upload(name: String, topic: String) throws(HostError) -> any HTTPUpload {
    NodeUpload(try FileUpload(name: name, topic: topic, into: directory), control: self)
  }

  fileprivate func ask(_ reply: HTTPReply, _ work: @escaping Mailbox<NodeDriver>.Work) {
    if !mailbox.post(work) {
      reply.send(HTTPResponse(status: 503, error: "The node is too busy; try again in a moment."))
    }
  }
}

/// An upload that is published when it is complete.
private final class NodeUpload: HTTPUpload {
  private let file: FileUpload
  private let control: NodeControl

  init(_ file: FileUpload, control: NodeControl) {
    self.file = file
    self.control = control
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(HostError) { try file.write(bytes) }

  func finish(_ reply: HTTPReply) {
    do {
      let (manifest, path) = try file.finish()
      control.ask(reply) { $0.publish(manifest, at: path, reply: reply) }
    } catch {
      reply.send(HTTPResponse(status: 507, error: error.description))
    }
  }

  func cancel() { file.cancel() }
}

/// Posts that are broadcast when all are here: each line is one.
final class PostUpload: HTTPUpload {
  /// The most bytes at once. A guess.
  static let byteLimit = 4 << 20

  private let batchLimit: Int
  private let control: NodeControl
  private var bytes: [UInt8] = []

  init(batchLimit: Int, control: NodeControl) {
    self.batchLimit = batchLimit
    self.control = control
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(HostError) {
    guard self.bytes.count + bytes.count <= PostUpload.byteLimit else {
      throw HostError("At most \(PostUpload.byteLimit) bytes of posts can be handed in at once.")
    }
    self.bytes.append(contentsOf: bytes)
  }

  func finish(_ reply: HTTPReply) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let posts = lines.filter { !$0.isEmpty }.map { Array($0) }
    guard !posts.isEmpty else {
      return reply.send(HTTPResponse(status: 400, error: "There is no post: give a line for each."))
    }
    if let long = lines.firstIndex(where: { $0.count > Post.byteLimit }) {
      return reply.send(
        HTTPResponse(
          status: 413,
          error:
            "The post in line \(long + 1) has \(lines[long].count) bytes, where \(Post.byteLimit) are allowed: "
            + "make it shorter. Nothing was posted."
        ))
    }
    let limit = batchLimit
    control.ask(reply) { $0.post(posts, batchLimit: limit, reply: reply) }
  }

  func cancel() {}
}

// MARK: - Answers

extension NodeDriver {
  var controlStatus: ControlStatus {
    let node = node.status
    var status = ControlStatus()
    status.version = configuration.version
    status.key = node.key.description
    status.network = configuration.network
    status.listen = socket.local.description
    status.control = server?.local.description ?? ""
    status.data = store.directory.path
    status.uptimeMs = now.nanoseconds / 1_000_000
    status.connections = node.connectionCount
    status.neighbours = node.neighbours.count
    status.partialView = node.partialViewSize
    status.inView = node.inViewSize
    status.estimatedSize = node.estimatedSize
    status.filesInProgress = node.files.count
    status.broadcast = configuration.secure?.broadcast.name ?? "tree"
    status.epsilon = configuration.secure?.epsilon
    status.members = configuration.secure?.members.count
    status.postsDelivered = node.postsDelivered
    status.postsDigest = hexadecimal(withUnsafeBytes(of: node.postsDigest.bigEndian, Array.init))
    status.joinRefusal = node.joinRefusal?.description
    status.counters = counters(of: node)
    for fault in Misbehaviour.allCases {
      status.misbehaviour[fault.name] = node.counters.misbehaviour[Int(fault.rawValue)]
    }
    status.shunned = node.shunned.map {
      ControlShunnedPeer(
        key: $0.key.description, fault: $0.fault.name, remainingMs: $0.remaining.inMilliseconds)
    }
    return status
  }

  var controlPeers: ControlPeers {
    ControlPeers(
      peers: node.status.neighbours.map { neighbour in
        ControlPeer(
          key: neighbour.key.description, address: neighbour.address?.description,
          inPartialView: neighbour.isInPartialView, inInView: neighbour.isInInView,
          eager: neighbour.isEager, roundTripMs: neighbour.roundTrip?.inMilliseconds)
      })
  }

  var controlMembers: ControlMembers {
    ControlMembers(
      members: node.members.map { member in
        ControlMember(
          key: member.record.key.description, address: member.record.address?.description,
          postsDelivered: member.postsDelivered)
      })
  }

  var controlFiles: ControlFiles {
    var files = catalogue.files
    for progress in node.status.files {
      let name = progress.manifest.identifier.description
      guard let position = files.lastIndex(where: { $0.file == name }) else { continue }
      files[position].chunksDone = progress.chunksDone
    }
    return ControlFiles(files: files)
  }

  private func counters(of node: NodeStatus) -> [String: UInt64] {
    let (all, transport, files) = (node.counters, node.counters.transport, node.counters.files)
    var counters: [String: UInt64] = [
      "datagrams_sent": transport.datagramsSent, "datagrams_received": transport.datagramsReceived,
      "datagram_bytes_sent": transport.bytesSent, "datagram_bytes_received": transport.bytesReceived,
      "datagrams_dropped": transport.dropped, "datagrams_not_sent": socket.dropped,
      "datagrams_impaired": impairment.lost, "packets_lost": transport.packetsLost,
      "retransmissions": transport.retransmissions, "handshakes": transport.handshakes,
      "connections_closed": transport.closes, "violations": all.host.violations,
      "connections_refused": all.host.connectionsRefused,
      "subscriptions_admitted": all.subscriptionsAdmitted,
      "subscriptions_refused": all.subscriptionsRefused,
      "messages_dropped_queue_full": all.host.droppedQueueFull,
      "messages_deferred": all.host.deferred,
      "messages_dropped_unreachable": all.host.droppedUnreachable,
      "messages_dropped_too_large": all.host.droppedTooLarge, "disk_errors": diskErrors,
      "datagrams_refused_by_kernel": socket.refused,
      "manifests_published": files.manifestsPublished, "chunks_published": files.chunksPublished,
      "manifests_accepted": files.manifestsAccepted, "chunks_stored": files.chunksStored,
      "chunks_refused": files.chunksRefused, "files_crowded_out": files.filesCrowdedOut,
      "files_abandoned": files.filesAbandoned, "files_given_up": files.filesGivenUp,
    ]
    if let secure = node.secure {
      counters["secure_instances"] = UInt64(secure.liveInstances)
      counters["secure_signature_checks"] = secure.signatureChecks
      counters["secure_messages_out_of_window"] = secure.dropped
    }
    for traffic in NodeTraffic.allCases {
      counters["\(traffic.name)_messages_sent"] = all.sent(traffic).messages
      counters["\(traffic.name)_messages_received"] = all.received(traffic).messages
      counters["\(traffic.name)_bytes_sent"] = all.sent(traffic).bytes
    }
    counters["manifest_messages_redundant"] = all.redundant(.manifest)
    counters["chunk_messages_redundant"] = all.redundant(.chunk)
    return counters
  }
}

extension NodeTraffic {
  /// The kind in snake case, as reports name it.
  fileprivate var name: String {
    switch self {
    case .membership: "membership"
    case .control: "control"
    case .manifest: "manifest"
    case .chunk: "chunk"
    case .otherPayload: "other"
    case .vote: "vote"
    case .batch: "batch"
    }
  }
}
