import StarlingApps
import StarlingBroadcast
import StarlingCore
import StarlingOverlay
import StarlingTransport

/// Where the parts of a node meet: what one wants done becomes another's input, until nobody wants anything.
extension Node {
  mutating func settle(into sink: inout some NodeSink & ~Copyable) {
    while true {
      if let output = hostOutputs.queue.popFirst() {
        handle(output, into: &sink)
      } else if let output = fileOutputs.queue.popFirst() {
        handle(output, into: &sink)
      } else if !seekContacts(into: &sink), !sendNextChunk() {
        takeNotices(into: &sink)
        return
      }
    }
  }

  /// Tells what became of transfers, and what the operator should know of the secure broadcast.
  private mutating func takeNotices(into sink: inout some NodeSink & ~Copyable) {
    guard isSecure else { return }
    for recall in host.change({ $0.diffusion.secure?.desk.takeRecalls() ?? [] }) { sink.recall(recall) }
    for notice in host.change({ $0.diffusion.secure?.takeNotices() ?? [] }) {
      switch notice {
      case .submitted(_, let refusal): submissions.append(refusal)
      case .applied(let applied): sink.applied(applied)
      case .abandoned(let transfer): sink.abandoned(transfer)
      case .event(let event): sink.report(event)
      case .certified(let number, let outcome): sink.certified(number, outcome)
      }
    }
  }

  /// Asks for the next chunk of a file when every connection that moves has room. One that hangs loses what its
  /// full queue refuses, and its peer grafts that if it comes back. A node that has lost its neighbours waits for
  /// others: what is sent to nobody is lost.
  ///
  /// - Returns: whether there is something new to handle.
  private mutating func sendNextChunk() -> Bool {
    guard files.nextDeadline <= now, isSecure || !(isAlone && wasJoined),
      isAlone || host.hasRoom(for: chunkRoom),
      host.process.diffusion.secure.map({ $0.broadcast.room > 0 }) ?? true,
      host.longestQueueBytes(at: now, patience: NodeConfiguration.hangingNeighbourPatience)
        <= configuration.lowWaterBytes
    else { return false }
    files.proceed(at: now, into: &fileOutputs)
    return !fileOutputs.queue.isEmpty
  }
}

/// What a chunk and its headers take in a connection's queue, at most.
private let chunkRoom = FileManifest.chunkByteLimit + 1_024

// MARK: - From the process host

extension Node {
  private mutating func handle(_ output: HostOutputs.Output, into sink: inout some NodeSink & ~Copyable) {
    switch output {
    case .transmit(let datagram, let address): sink.transmit(datagram, to: address)
    case .indicated(let indication): handle(indication, into: &sink)
    case .connected(let connection, let peer): contacts.connected(connection, to: peer)
    case .closed(let connection, let reason):
      if let address = contacts.address(of: connection) { noteRefusal(of: address, reason) }
      if let (address, wait) = contacts.closed(connection, reason, at: now) {
        report(unreachable: address, because: reason.description, retryIn: wait, into: &sink)
      }
    case .report(.inadmissible(let key)):
      sink.report(.turnedAway(key, because: configuration.admission.refusal(of: key)))
    case .report(let event): sink.report(Node.event(event))
    }
  }

  private mutating func handle(
    _ indication: NodeProcess.Indication, into sink: inout some NodeSink & ~Copyable
  ) {
    switch indication {
    case .delivered(let broadcast, let sender):
      let kind = FileMessage.kind(of: broadcast.payload)
      delivered[NodeTraffic.ofPayload(kind).rawValue] += 1
      if PostBatch.isMeant(by: broadcast.payload) { return deliverPosts(broadcast.payload, into: &sink) }
      if broadcast.identifier.origin == PeerTable.own {
        // A secure broadcast delivers the node's own messages too, and nobody else signs them.
        if !isSecure { sink.report(.spokenFor(broadcast.identifier.sequence)) }
        return
      }
      let origin = peers.table.record(of: broadcast.identifier.origin).key
      files.receive(broadcast.payload, from: origin, at: now, into: &fileOutputs)
      // After it, since a file may become known by its first chunk.
      if let (file, index) = FileMessage.chunkPosition(in: broadcast.payload) {
        fileOutputs.queue.append(.arrived(index, file, peers.table.record(of: sender).key))
      }
    case .misbehaved(let peer, let what):
      misbehaviour[Int(what.rawValue)] += 1
      if what == .otherBroadcast, mismatched.insert(peer) {
        let fault = "it runs another secure broadcast than this node; start both with the same --broadcast"
        sink.report(.violation(peers.table.record(of: peer).key, fault))
      }
    case .shunned(let peer, let what): shun(peer, for: what, into: &sink)
    case .keep(let writes): for write in writes { sink.keep(write) }
    case .missed(let message):
      sink.report(.missed(peers.table.record(of: message.origin).key, message.sequence))
    case .overlay(.admitted), .overlay(.misbehaved), .overlay(.ring): break
    case .overlay(.refused(let peer)): refused(by: peer, into: &sink)
    case .overlay(.gained(let peer, let view)): gained(peer, view, into: &sink)
    case .overlay(.lost(let peer, let view)): lost(peer, view, into: &sink)
    }
  }

  /// Hands posts up, once each: only a secure broadcast brings any.
  private mutating func deliverPosts(_ payload: [UInt8], into sink: inout some NodeSink & ~Copyable) {
    guard isSecure, let batch = try? PostBatch(encoded: payload, entryLimit: BatchLimits.entries) else {
      return
    }
    postsDelivered += UInt64(batch.posts.count)
    postsByAuthor[batch.author, default: 0] += UInt64(batch.posts.count)
    for post in batch.posts { postsDigest &+= Node.fingerprint(of: post, by: batch.author) }
    sink.delivered(batch.posts, by: batch.author)
  }

  /// A number made of a post: the sum over all that were delivered is the same at nodes that delivered the same.
  private static func fingerprint(of post: Post, by author: PublicKey) -> UInt64 {
    var writer = WireWriter(capacity: post.contents.count + 40)
    writer.write(raw: author.bytes)
    writer.write(integer: post.number)
    writer.write(raw: post.contents)
    return SHA256.hash(writer.bytes).bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  private mutating func gained(
    _ peer: Peer, _ view: MembershipIndication.View, into sink: inout some NodeSink & ~Copyable
  ) {
    let wasAlone = isAlone
    let (position, isNew) = neighbours.insert(NeighbourViews(), for: peer)
    switch view {
    case .partialView: neighbours[position].isInPartialView = true
    case .inView: neighbours[position].isInInView = true
    }
    guard isNew else { return }
    host.retain(peer)
    wasJoined = true
    joinRefusal = nil
    if wasAlone { sink.report(.joined) }
    sink.report(.neighbourUp(peers.table.record(of: peer).key))
  }

  private mutating func lost(
    _ peer: Peer, _ view: MembershipIndication.View, into sink: inout some NodeSink & ~Copyable
  ) {
    guard let position = neighbours.position(of: peer) else { return }
    switch view {
    case .partialView: neighbours[position].isInPartialView = false
    case .inView: neighbours[position].isInInView = false
    }
    guard !neighbours[position].isInPartialView, !neighbours[position].isInInView else { return }
    neighbours.remove(peer)
    host.release(peer)
    let record = peers.table.record(of: peer)
    if record.address != nil {
      formerNeighbours.removeAll { $0.key == record.key }
      formerNeighbours.insert(record, at: 0)
      if formerNeighbours.count > Node.formerNeighbourLimit { formerNeighbours.removeLast() }
    }
    sink.report(.neighbourDown(record.key))
    guard isAlone else { return }
    sink.report(.isolated)
    contacts.forgetAsked()
    contacts.remember(rememberedPeers.compactMap(\.address), at: now)
  }

  private mutating func shun(_ peer: Peer, for what: Misbehaviour, into sink: inout some NodeSink & ~Copyable)
  {
    guard let end = host.process.conduct.end(ofShunning: peer, at: now) else { return }
    sink.report(.shunned(peers.table.record(of: peer).key, for: what, lasting: end - now))
    host.shun(peer, until: end, at: now, into: &hostOutputs)
  }

  /// A peer that was asked to be joined through says that this node may not join: now, or at all.
  private mutating func refused(by peer: Peer, into sink: inout some NodeSink & ~Copyable) {
    let key = peers.table.record(of: peer).key
    if isAlone { joinRefusal = JoinRefusal(by: key) }
    sink.report(.joinRefused(by: key))
  }

  /// A contact that answered and cannot be used says more about why the node is alone than one that did not.
  private mutating func noteRefusal(of address: SocketAddress, _ reason: CloseReason) {
    switch reason {
    case .notAdmitted, .inadmissible, .keyInUse, .unexpectedKey, .peerFull, .network, .version:
      joinRefusal = JoinRefusal(at: address, reason)
    default: return
    }
  }

  private static func event(_ event: HostEvent) -> NodeEvent {
    switch event {
    case .violation(let key, let fault): .violation(key, fault)
    case .inadmissible(let key): .turnedAway(key, because: nil)
    case .queueFull(let key): .queueFull(key)
    case .peerTableFull: .peerTableFull
    case .tooManyTimers: .tooManyTimers
    }
  }
}

// MARK: - From file sharing

extension Node {
  private mutating func handle(_ output: FileOutputs.Output, into sink: inout some NodeSink & ~Copyable) {
    switch output {
    case .broadcast(let payload):
      let before = host.counters
      host.handle(.broadcast(payload), at: now, into: &hostOutputs)
      wasRefusedByAll = host.counters.lost > before.lost && host.counters.handedOver == before.handedOver
    case .requestChunk(let index, let file): sink.requestChunk(index, of: file)
    case .announced(let manifest, let publisher): sink.announced(manifest, by: publisher)
    case .arrived(let index, let file, let neighbour): sink.arrived(index, of: file, from: neighbour)
    case .recall(let file, let publisher): recall(file, from: publisher)
    case .store(let chunk, let index, let file): sink.store(chunk, index: index, of: file)
    case .completed(let file): sink.completed(file)
    case .report(let event): sink.report(event)
    }
  }
}

extension Node {
  /// Hands the chunks of a file in once more that the tree keeps for its neighbours.
  private mutating func recall(_ file: FileIdentifier, from publisher: PublicKey) {
    var payloads: [[UInt8]] = []
    forEachKeptChunk { origin, chunkFile, payload in
      if origin == publisher, chunkFile == file { payloads.append(payload) }
    }
    for payload in payloads { files.receive(payload, from: publisher, at: now, into: &fileOutputs) }
  }

  /// Looks at every chunk that the tree keeps for its neighbours, the oldest first.
  func forEachKeptChunk(_ body: (PublicKey, FileIdentifier, [UInt8]) -> Void) {
    host.process.diffusion.tree.forEachKeptMessage { message in
      guard let (file, _) = FileMessage.chunkPosition(in: message.payload) else { return }
      body(peers.table.record(of: message.identifier.origin).key, file, message.payload)
    }
  }
}

// MARK: - Contacts

extension Node {
  /// Looks for a way into the network while the node is alone.
  ///
  /// - Returns: whether there is something new to handle.
  private mutating func seekContacts(into sink: inout some NodeSink & ~Copyable) -> Bool {
    guard isAlone else { return false }
    for (index, address) in contacts.due(at: now) {
      do throws(ConnectError) {
        let connection = try host.connect(to: address, at: now, into: &hostOutputs)
        contacts.connecting(index, over: connection)
      } catch {
        guard let wait = contacts.failed(index, at: now) else { continue }
        report(unreachable: address, because: error.description, retryIn: wait, into: &sink)
      }
    }
    if let contact = contacts.contactToAsk(at: now) {
      host.handle(.join(contact: contact), at: now, into: &hostOutputs)
    }
    return !hostOutputs.queue.isEmpty
  }

  private func report(
    unreachable address: SocketAddress, because reason: String, retryIn wait: Interval,
    into sink: inout some NodeSink & ~Copyable
  ) {
    sink.report(.contactUnreachable(address, reason: reason, retryIn: wait))
  }
}

// MARK: - Status

extension Node {
  /// The node as it is now.
  public var status: NodeStatus {
    NodeStatus(
      key: key, listen: configuration.listen,
      neighbours: neighbourStatuses,
      partialViewSize: host.process.overlay.partialView.count,
      inViewSize: host.process.overlay.inView.count,
      estimatedSize: host.process.overlay.estimatedSize, connectionCount: host.connectionCount,
      knownPeerCount: peers.table.count - 1,
      shunned: host.process.conduct.shunned(at: now).map {
        ShunnedPeer(key: peers.table.record(of: $0.peer).key, fault: $0.fault, remaining: $0.until - now)
      },
      counters: NodeCounters(
        host: host.counters, transport: host.transportCounters, files: files.counters,
        delivered: delivered, misbehaviour: misbehaviour, subscriptionsAdmitted: admission.admitted,
        subscriptionsRefused: admission.refusals, lastRefusal: admission.lastRefusal),
      files: files.filesInProgress, joinRefusal: isAlone ? joinRefusal : nil,
      postsDelivered: postsDelivered, postsDigest: postsDigest,
      secure: host.process.diffusion.secure.map(\.broadcast).map {
        SecureStatus(
          liveInstances: $0.liveInstances, signatureChecks: $0.signatureChecks, dropped: $0.dropped)
      })
  }

  /// The members of the secure network, and how many posts of each were delivered; empty without one.
  public var members: [(record: PeerRecord, postsDelivered: UInt64)] {
    (configuration.secure?.members ?? []).map { ($0, postsByAuthor[$0.key] ?? 0) }
  }

  private var neighbourStatuses: [NeighbourStatus] {
    var statuses: [NeighbourStatus] = []
    for position in 0..<neighbours.count { statuses.append(neighbour(at: position)) }
    return statuses
  }

  private func neighbour(at position: Int) -> NeighbourStatus {
    let peer = neighbours.keys[position]
    let record = peers.table.record(of: peer)
    let link = host.process.diffusion.tree.links[peer]
    return NeighbourStatus(
      key: record.key, address: record.address, isInPartialView: neighbours[position].isInPartialView,
      isInInView: neighbours[position].isInInView, isEager: link?.isEager ?? false,
      roundTrip: host.roundTrip(to: peer))
  }
}
