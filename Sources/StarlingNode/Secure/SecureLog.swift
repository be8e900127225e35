import StarlingBroadcast
import StarlingCore

/// What a member of a secure broadcast keeps on stable storage: all that it said and delivered of the instances that may
/// be alive, so that its next life contradicts none of it, nor delivers anything twice.
///
/// A key is a byte that names the table, and the names of what is kept there, numbers with their most significant byte
/// first, so that a member's instances lie in the order of their numbers.
struct SecureLog {
  private typealias Auth = KeySecureAuthenticator

  private enum Table: UInt8 {
    /// (number): an own batch that is not delivered.
    case own = 1
    /// (sender): the number that is delivered next.
    case next
    /// (author): the number of the first post that is not settled.
    case floor
    /// (author, number): what an entry said that was echoed in a batch that is forgotten.
    case entry
    /// (sender, number, kind, digest): a batch, or a word about it.
    case instance
    /// (): the first number of own batches that no life before used of which nothing is left.
    case firstOwn
    /// (sender, number): a batch was delivered without some of its entries, which may be delivered yet.
    case disputed
  }

  private enum Kind: UInt8 {
    case batch, echo, ready, delivery
  }

  /// Tells the keys behind the handles.
  let peers: SharedPeerTable
  /// Whether all that was ever delivered is kept: by it a ledger's members bring each other up to date.
  let keepsHistory: Bool

  // MARK: - Keys

  private func key(_ table: Table, _ owner: PublicKey?, _ number: UInt64? = nil) -> [UInt8] {
    var writer = WireWriter(capacity: 80)
    writer.write(table.rawValue)
    if let owner { writer.write(owner) }
    if let number { writer.write(integer: number) }
    return writer.bytes
  }

  private func key(_ instance: MessageIdentifier, _ kind: Kind, _ digest: SHA256Digest) -> [UInt8] {
    key(.instance, key(of: instance.origin), instance.sequence) + [kind.rawValue] + digest.bytes
  }

  func key(of peer: Peer) -> PublicKey { peers.table.record(of: peer).key }

  private static func bytes(of number: UInt64) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian, Array.init)
  }
}

// MARK: - Writing

extension SecureLog {
  /// An own batch is taken.
  func took(_ batch: NodeBatch, as number: UInt64) -> StableWrite {
    .put(key: key(.own, nil, number), value: batch.encoded)
  }

  /// Own batches have numbers from this one on.
  func numbered(from first: UInt64) -> [StableWrite] {
    [
      .put(key: key(.firstOwn, nil), value: SecureLog.bytes(of: first)),
      .remove(from: key(.own, nil, 0), below: key(.own, nil, first)),
    ]
  }

  /// Something was said.
  func said(_ step: LoggedStep<KeySecureAuthenticator>) -> [StableWrite] {
    switch step {
    case .echoed(let batch, let refused): [put(batch), put(Vote(for: batch, refused: refused), .echo)]
    case .ready(let vote): [put(vote, .ready)]
    case .delivered(let batch, let refused): [put(Vote(for: batch, refused: refused), .delivery)]
    case .retained(let entry):
      [
        .put(
          key: key(.entry, entry.author, entry.sequence),
          value: (0..<4).flatMap { SecureLog.bytes(of: entry.contents[$0]) })
      ]
    }
  }

  /// A batch was delivered in its order.
  ///
  /// - Parameters:
  ///   - batch: the batch.
  ///   - refused: the positions of the entries that were not.
  ///   - isKept: whether the batch is kept already.
  ///   - kept: how many delivered instances of a sender live on.
  ///   - isDisputed: see ``goesOn(from:of:kept:isDisputed:)``.
  func delivered(
    _ batch: SignedBatch<KeySecureAuthenticator>, refused: [UInt16], isKept: Bool, kept: UInt64,
    isDisputed: (UInt64) -> Bool
  ) -> [StableWrite] {
    let (sender, number) = (batch.identifier.origin, batch.identifier.sequence)
    var writes = said(.delivered(batch, refused: refused))
    if !isKept { writes.append(put(batch)) }
    if sender == PeerTable.own {
      writes.append(.remove(from: key(.own, nil, number), below: key(.own, nil, number + 1)))
    }
    if keepsHistory, !refused.isEmpty { writes.append(disputed(batch.identifier)) }
    return writes + goesOn(from: number + 1, of: sender, kept: kept, isDisputed: isDisputed)
  }

  /// A batch was delivered without some of its entries.
  func disputed(_ instance: MessageIdentifier) -> StableWrite {
    .put(key: key(.disputed, key(of: instance.origin), instance.sequence), value: [])
  }

  /// What was not delivered of a batch is, or was in another batch.
  ///
  /// - Parameter isOver: whether its instance is, so that what was said of it is of no use any more.
  func settledDispute(_ instance: MessageIdentifier, isOver: Bool) -> [StableWrite] {
    let (owner, number) = (key(of: instance.origin), instance.sequence)
    let row = key(.disputed, owner, number)
    let said = key(.instance, owner, number)
    return [.remove(from: row, below: row + [0])]
      + (isOver
        ? [.remove(from: said + [Kind.ready.rawValue], below: said + [Kind.delivery.rawValue])] : [])
  }

  /// The batches of a sender below a number were delivered, or missed.
  ///
  /// - Parameter isDisputed: whether others may have to know what this member was ready for in an instance that is over.
  func goesOn(
    from next: UInt64, of sender: Peer, kept: UInt64, isDisputed: (UInt64) -> Bool
  ) -> [StableWrite] {
    let owner = key(of: sender)
    let progress = StableWrite.put(key: key(.next, owner), value: SecureLog.bytes(of: next))
    guard next > kept else { return [progress] }
    let over = next - kept
    guard keepsHistory else {
      return [progress, .remove(from: key(.instance, owner, 0), below: key(.instance, owner, over))]
    }
    // What was delivered stays, with its batch; what was said of it is of no use any more.
    let instance = key(.instance, owner, over - 1)
    return [
      progress,
      .remove(
        from: instance + [Kind.echo.rawValue],
        below: instance + [(isDisputed(over - 1) ? Kind.ready : Kind.delivery).rawValue]),
    ]
  }

  /// An author's posts below a number are settled.
  func settled(_ author: PublicKey, below number: UInt64) -> [StableWrite] {
    [
      .put(key: key(.floor, author), value: SecureLog.bytes(of: number)),
      .remove(from: key(.entry, author, 0), below: key(.entry, author, number)),
    ]
  }

  private func put(_ batch: SignedBatch<KeySecureAuthenticator>) -> StableWrite {
    .put(key: key(batch.identifier, .batch, batch.digest), value: batch.payload.encoded)
  }

  private func put(_ vote: Vote<KeySecureAuthenticator>, _ kind: Kind) -> StableWrite {
    var writer = WireWriter(capacity: Ed25519Signature.byteCount + 2 * vote.refused.count)
    writer.write(raw: vote.signature.bytes)
    for position in vote.refused { writer.write(integer: position) }
    return .put(key: key(vote.identifier, kind, vote.digest), value: writer.bytes)
  }
}

// MARK: - Reading

/// What a member's earlier life left.
struct SecureRecollection {
  fileprivate(set) var nextDelivered: [Peer: UInt64] = [:]
  /// The first number of own batches; `nil` if others have to be asked for it.
  fileprivate(set) var firstOwn: UInt64?
  /// Own batches, in ascending order of their numbers.
  fileprivate(set) var undelivered: [(sequence: UInt64, payload: NodeBatch)] = []
  /// Of each instance its echo first.
  fileprivate(set) var logged: [LoggedStep<KeySecureAuthenticator>] = []
  /// What was delivered without some of its entries, and what this member said of it.
  fileprivate(set) var disputed: [LoggedStep<KeySecureAuthenticator>] = []
  /// The first number of each author that is not settled.
  fileprivate(set) var floors: [(author: PublicKey, number: UInt64)] = []
}

extension SecureLog {
  /// Takes what is on stable storage apart. What is about nobody of these members is left out.
  ///
  /// - Parameters:
  ///   - members: who takes part.
  ///   - kept: how many delivered instances of a sender live on.
  ///   - read: answers questions for what is kept.
  /// - Throws: ``WireError`` for what no member wrote. To go on without it could be to contradict oneself.
  func recollection(
    of members: PeerSet, kept: UInt64, reading read: (StableQuery) -> [StableValue]
  ) throws(WireError) -> SecureRecollection {
    var recollection = SecureRecollection()
    var senders: [PublicKey: Peer] = [:]
    for member in members.members { senders[key(of: member)] = member }
    let tables = StableQuery(from: [Table.own.rawValue], below: [Table.instance.rawValue])
    try tables.forEach(reading: read) { pair throws(WireError) in
      var (name, value) = (WireReader(pair.key), WireReader(pair.value))
      switch Table(rawValue: try name.readByte()) {
      case .own:
        let number = try name.read(UInt64.self)
        recollection.undelivered.append((number, try NodeBatch(encoded: value.readRest())))
      case .next:
        let next = try value.read(UInt64.self)
        if let sender = senders[try name.readKey()] { recollection.nextDelivered[sender] = next }
      case .floor: recollection.floors.append((try name.readKey(), try value.read(UInt64.self)))
      case .entry:
        let (author, number) = (try name.readKey(), try name.read(UInt64.self))
        var contents = SIMD4<UInt64>()
        for i in 0..<4 { contents[i] = try value.read(UInt64.self) }
        recollection.logged.append(
          .retained(BatchEntry(author: author, sequence: number, contents: contents)))
      case .instance, .firstOwn, .disputed, nil: throw .invalid("a value of an unknown table")
      }
    }
    let first = StableQuery(from: key(.firstOwn, nil), below: key(.firstOwn, nil) + [0])
    for pair in read(first) {
      var value = WireReader(pair.value)
      recollection.firstOwn = try value.read(UInt64.self)
    }
    let disputed = StableQuery(from: [Table.disputed.rawValue], below: [Table.disputed.rawValue + 1])
    try disputed.forEach(reading: read) { pair throws(WireError) in
      var name = WireReader(pair.key)
      _ = try name.readByte()
      let (sender, number) = (senders[try name.readKey()], try name.read(UInt64.self))
      guard let sender, number < .max else { return }
      recollection.disputed += try steps(of: sender, from: number, below: number + 1, reading: read)
    }
    for member in members.members {
      let next = recollection.nextDelivered[member] ?? 0
      recollection.logged += try steps(of: member, from: next - min(next, kept), below: .max, reading: read)
    }
    return recollection
  }

  /// What was said and delivered of a sender's instances with some numbers.
  func steps(
    of sender: Peer, from first: UInt64, below end: UInt64, reading read: (StableQuery) -> [StableValue]
  ) throws(WireError) -> [LoggedStep<KeySecureAuthenticator>] {
    var steps: [LoggedStep<KeySecureAuthenticator>] = []
    var batches: [SHA256Digest: NodeBatch] = [:]
    let owner = key(of: sender)
    let query = StableQuery(from: key(.instance, owner, first), below: key(.instance, owner, end))
    try query.forEach(reading: read) { pair throws(WireError) in
      var (name, value) = (WireReader(pair.key), WireReader(pair.value))
      _ = try name.read(count: 1 + PublicKey.byteCount)
      let number = try name.read(UInt64.self)
      guard let kind = Kind(rawValue: try name.readByte()) else { throw .invalid("a word of unknown kind") }
      let digest: SHA256Digest = try name.read()
      if kind == .batch {
        batches[digest] = try NodeBatch(encoded: value.readRest())
        return
      }
      let instance = MessageIdentifier(origin: sender, sequence: number)
      steps.append(try step(kind, instance, digest, batch: batches[digest], &value))
    }
    return steps
  }

  private func step(
    _ kind: Kind, _ instance: MessageIdentifier, _ digest: SHA256Digest, batch: NodeBatch?,
    _ value: inout WireReader
  ) throws(WireError) -> LoggedStep<KeySecureAuthenticator> {
    let signature: Ed25519Signature = try value.read()
    var refused: [UInt16] = []
    while value.remaining > 0 { refused.append(try value.read(UInt16.self)) }
    let vote = Vote<KeySecureAuthenticator>(
      identifier: instance, digest: digest, signature: signature, refused: refused, hops: 0)
    guard vote.isWellFormed else { throw .invalid("a word that refuses what no batch has") }
    if kind == .ready { return .ready(vote) }
    guard let batch else { throw .invalid("a word about a batch that is not kept") }
    let signed = SignedBatch<KeySecureAuthenticator>(
      identifier: instance, payload: batch, signature: signature, hops: 0)
    guard signed.digest == digest else { throw .invalid("a batch under another's digest") }
    return kind == .echo ? .echoed(signed, refused: refused) : .delivered(signed, refused: refused)
  }
}

// MARK: - History

/// What was delivered under some number, as it is kept.
struct KeptDelivery {
  let number: UInt64
  let word: DeliveryWord
  /// The batch; `nil` where only the word was asked for.
  let batch: CarriedBatch?
}

extension SecureLog {
  /// Asks for what was delivered of a sender under some numbers, a question for each.
  ///
  /// - Parameters:
  ///   - numbers: a few.
  ///   - sender: whose.
  ///   - withBatches: whether the batches are wanted as well.
  func history(of numbers: Range<UInt64>, from sender: Peer, withBatches: Bool) -> [StableQuery] {
    let owner = key(of: sender)
    return numbers.map { number in
      let instance = key(.instance, owner, number)
      let first = instance + [(withBatches ? Kind.batch : Kind.ready).rawValue]
      return StableQuery(from: first, below: instance + [Kind.delivery.rawValue + 1], limit: 8)
    }
  }

  /// Takes the answers apart. What cannot be read is left out.
  func deliveries(in values: [StableValue]) -> [KeptDelivery] {
    var deliveries: [KeptDelivery] = []
    var batches: [SHA256Digest: [UInt8]] = [:]
    var ready: [SHA256Digest: [UInt16]] = [:]
    for pair in values {
      var (name, value) = (WireReader(pair.key), WireReader(pair.value))
      guard (try? name.read(count: 1 + PublicKey.byteCount)) != nil,
        let number = try? name.read(UInt64.self),
        let kind = (try? name.readByte()).flatMap(Kind.init(rawValue:)),
        let digest = try? name.read(SHA256Digest.self)
      else { continue }
      if kind == .batch { batches[digest] = pair.value }
      guard kind == .ready || kind == .delivery, let signature = try? value.read(Ed25519Signature.self) else {
        continue
      }
      var refused: [UInt16] = []
      while value.remaining > 0, let position = try? value.read(UInt16.self) { refused.append(position) }
      if kind == .ready {
        ready[digest] = refused
        continue
      }
      let unready = refused.filter { ready[digest]?.contains($0) ?? true }
      deliveries.append(
        KeptDelivery(
          number: number, word: DeliveryWord(digest: digest, refused: refused, unready: unready),
          batch: batches[digest].map { CarriedBatch(signature: signature, encoded: $0) }))
      (batches, ready) = ([:], [:])
    }
    return deliveries
  }
}
