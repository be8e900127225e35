import StarlingBroadcast
import StarlingCore
import StarlingLedger
import StarlingTestSupport

@testable import StarlingNode
@testable import StarlingRuntime

#if canImport(Glibc)
  import Glibc
#endif

/// Four members of a ledger in virtual time, as they ship: `SecurePart` over `StateStore` and `StableStorage`, each on a disk whose
/// power can be cut. A turn is the driver's: what is to be kept is committed, and then what was said leaves.
final class PowerCutNetwork {
  /// What is wrong on purpose, to see that it is found out.
  enum Flaw {
    /// The disks take a sync for done at once.
    case ignoredSyncs
    /// What was said leaves, and is told to clients, before it is kept.
    case sendingFirst
  }

  static let count = 4
  /// Owners who sign one transfer under each number, and others who sign two.
  static let ownerCount = 8
  static let cheatCount = 64

  final class Member {
    let identity: Identity
    let disk: PowerDisk
    var life: Life?
    /// How many lives it had.
    var lives = 0
    /// How many lives of all had begun when its last one did.
    var begun = 0
    /// What is to be handled in the next turn.
    var inputs: [Input] = []
    /// How many more commits until the power is cut after one, before all that was said has left.
    var commitsUntilCut: Int?
    /// Whether clients stay away: its disk was replaced, and it does not know yet what it once was.
    var isNew = false

    init(_ identity: Identity, _ disk: PowerDisk) { (self.identity, self.disk) = (identity, disk) }

    var key: PublicKey { identity.publicKey }
  }

  struct Life {
    var part: SecurePart
    let peers: SharedPeerTable
    let store: StateStore
    let stable: StableStorage
  }

  enum Input {
    case start
    case message([UInt8], from: PublicKey)
    case timer(SecurePart.Timer)
    case lost(PublicKey)
    case submit(SignedTransfer, isHonest: Bool)
    case supply([StableRecall])
  }

  private enum Event {
    case input(Int, life: Int?, Input)
    case turn(Int)
    case restore(Int)
  }

  let members: [Member]
  let genesis: Genesis
  private let flaw: Flaw?
  private let directory: TemporaryDirectory
  private var configuration: SecureConfiguration
  private let owners: [Identity]
  private let cheats: [Identity]
  private var nextCheat = 0
  /// Of each owner the number that it signs next, and what no node has taken yet.
  private var signed = [UInt64](repeating: 0, count: ownerCount)
  private var untaken = [SignedTransfer?](repeating: nil, count: ownerCount)
  /// The next one last.
  private var events: [(at: Instant, event: Event)] = []
  /// Since when each two are linked, once both have started.
  private var links: [Set<Int>: Instant] = [:]
  private(set) var now = Instant.zero
  private var begun = 0
  var random: Xoshiro256
  var witness: Witness
  /// Who loses power as soon as somebody whose disk was to lose it does.
  private var company: [Int] = []
  /// Who does so a few writes later.
  private var late: Set<Int> = []
  /// For how many milliseconds the power is gone at most.
  private var downtime = 0
  /// How many cuts there were, of one or several at once, of how many disks, and how many of these found their node at work.
  private(set) var cuts = (events: 0, disks: 0, midway: 0)
  /// How many nodes lost their disk and began with nothing.
  private(set) var rebuilt = 0
  /// How long it took until all had the same once there was power again and nobody paid.
  private(set) var rests: [Interval] = []

  /// - Parameters:
  ///   - seed: makes it the same run again.
  ///   - window: how many batches of a sender may be under way, and how many delivered ones are kept.
  ///   - flaw: what is wrong.
  init(seed: UInt64, window: Int, flaw: Flaw? = nil) throws {
    random = Xoshiro256(seed: seed)
    self.flaw = flaw
    let directory = try TemporaryDirectory()
    self.directory = directory
    func identity(_ n: Int) throws -> Identity {
      var random = Xoshiro256(seed: seed &* 10_000 &+ UInt64(n))
      return try Identity(seed: (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
    owners = try (0..<PowerCutNetwork.ownerCount).map { try identity(100 + $0) }
    cheats = try (0..<PowerCutNetwork.cheatCount).map { try identity(1_000 + $0) }
    members = try (0..<PowerCutNetwork.count).map { index in
      let folder = directory("\(index)")
      mkdir(folder, 0o700)
      return Member(try identity(index), PowerDisk(folder: folder, ignoresSync: flaw == .ignoredSyncs))
    }
    witness = Witness(members.map(\.key))
    genesis = try Genesis(
      network: "test", members: members.map(\.key), byzantine: 1,
      balances: Dictionary(uniqueKeysWithValues: (owners + cheats).map { ($0.publicKey, 100_000) }))
    configuration = SecureConfiguration(
      .bracha(byzantine: 1), among: members.map { PeerRecord(key: $0.key, address: nil) })
    configuration.genesis = genesis
    (configuration.ordered.window, configuration.ordered.kept) = (window, window)
    // Some lose power before their state is ever made.
    if random.oneIn(2) {
      downtime = 100
      members[0].disk.plan(random.oneIn(2) ? .change : .sync, after: random.uniform(below: 30))
    }
    for index in members.indices { begin(index) }
  }

  deinit { for member in members { PowerFileSystem.forget(member.disk) } }

  // MARK: - Time

  private func schedule(_ event: Event, at instant: Instant) {
    // The last is the next; of the same moment in their order.
    var (low, high) = (0, events.count)
    while low < high {
      let middle = (low + high) / 2
      if events[middle].at > instant { low = middle + 1 } else { high = middle }
    }
    events.insert((instant, event), at: low)
  }

  /// Lets time pass.
  func run(for interval: Interval, until isDone: () -> Bool = { false }) {
    let end = now + interval
    while let (instant, event) = events.last, instant <= end, !isDone() {
      events.removeLast()
      now = instant
      switch event {
      case .input(let index, let life, let input):
        let member = members[index]
        guard member.life != nil, life == nil || life == member.lives else { continue }
        // What comes within some milliseconds is handled in one turn, as from a socket that several datagrams wait at.
        if member.inputs.isEmpty {
          schedule(.turn(index), at: now + .microseconds(random.uniform(below: 4_000)))
        }
        member.inputs.append(input)
      case .turn(let index): turn(index)
      case .restore(let index): begin(index)
      }
    }
    if !isDone() { now = end }
  }

  // MARK: - A node's life

  /// Gives power and starts a node.
  private func begin(_ index: Int) {
    let member = members[index]
    guard member.life == nil else { return }
    if !member.disk.hasPower { member.disk.restore(&random) }
    do {
      let life = try life(of: member)
      member.life = life
      member.lives += 1
      begun += 1
      member.begun = begun
      witness.begins(member.key, knowing: life.part.keeper)
    } catch {
      guard !member.disk.hasPower else { return witness.fault("a node did not start: \(error)") }
      return fail(index)
    }
    member.inputs = []
    schedule(.input(index, life: member.lives, .start), at: now)
    for other in members.indices where other != index && members[other].life != nil {
      let up = now + .milliseconds(5 + random.uniform(below: 100))
      links[[index, other]] = up
      // It had another link, or none.
      schedule(.input(other, life: members[other].lives, .lost(member.key)), at: up)
    }
  }

  private func life(of member: Member) throws -> Life {
    let path = member.disk.folder + "/state.sqlite"
    let store = try StateStore(at: path)
    if let (_, reason) = store.movedAside { witness.fault("a state was damaged: \(reason)") }
    _ = try store.reserveSequence(NodeMemory.block, atLeast: 1, for: member.key)
    let stable = try StableStorage(at: path, for: member.key, in: "test")
    let peers = SharedPeerTable(PeerTable(own: PeerRecord(key: member.key, address: nil)))
    var handles = PeerSet()
    for record in configuration.members { handles.insert(try peers.table.intern(record)) }
    let auth = KeySecureAuthenticator(
      identity: member.identity, network: Array("test".utf8), peers: peers, members: handles,
      ledger: genesis.hash)
    var failure: HostError?
    let part = try SecurePart(
      configuration: configuration, members: handles, auth: auth, peers: peers,
      reading: { query in
        do throws(HostError) { return try stable.values(query) } catch { failure = error }
        return []
      })
    if let failure { throw failure }
    return Life(part: part, peers: peers, store: store, stable: stable)
  }

  /// The power of a disk is gone: the node ends where it is, and so do those that were to lose it with this one.
  private func fail(_ index: Int) {
    // One of several that lose power together is no cut of its own.
    if late.remove(index) == nil { cuts.events += 1 }
    var all = [index]
    for other in company where other != index && members[other].life != nil {
      // Others are in the midst of something as well.
      if random.oneIn(2) {
        all.append(other)
      } else {
        members[other].disk.plan(random.oneIn(2) ? .change : .sync, after: random.uniform(below: 6))
        late.insert(other)
      }
    }
    company = []
    for index in all {
      let member = members[index]
      if member.disk.hasPower { member.disk.cut() }
      member.life = nil
      member.inputs = []
      member.commitsUntilCut = nil
      cuts.disks += 1
      schedule(.restore(index), at: now + .milliseconds(1 + random.uniform(below: max(1, downtime))))
    }
  }

  /// Does what came in, keeps what is to be kept, and then has the rest leave.
  private func turn(_ index: Int) {
    let member = members[index]
    guard var life = member.life, !member.inputs.isEmpty else { return }
    // So that nothing is copied when it changes.
    member.life = nil
    let inputs = member.inputs
    member.inputs = []
    var effects = RecordingEffects<SecurePart>(random: Xoshiro256(seed: random.next()))
    for input in inputs { handle(input, &life, &effects) }
    // A client may ask for what was applied: then all of it is written.
    var extra: [StableWrite] = []
    if random.oneIn(8) { extra = life.part.flush() }
    let told = life.part.takeNotices()
    let recalls = life.part.desk.takeRecalls()
    member.life = life
    var writes: [StableWrite] = []
    for case .keep(let kept) in effects.indications { writes += kept }
    writes += extra
    let honest = Set(
      inputs.compactMap { if case .submit(let transfer, true) = $0 { transfer.transfer.number } else { nil } }
    )
    if flaw == .sendingFirst { leave(effects, told, honest, from: index, life.peers) }
    do {
      if !writes.isEmpty { try life.stable.commit(writes) }
      // The node's other connection writes as well.
      if random.oneIn(200) {
        try life.store.remember(
          [UInt8](repeating: 7, count: random.uniform(below: 9_000)), as: "seen messages")
      }
    } catch {
      guard !member.disk.hasPower else { return witness.fault("a node stopped: \(error)") }
    }
    guard member.disk.hasPower else {
      cuts.midway += 1
      return fail(index)
    }
    if let left = member.commitsUntilCut, !writes.isEmpty {
      member.commitsUntilCut = left - 1
      if left <= 1 {
        // Between the commit and the last of what leaves.
        effects.sent.removeLast(effects.sent.count - random.uniform(below: effects.sent.count + 1))
        if flaw != .sendingFirst {
          leave(effects, random.oneIn(2) ? told : [], honest, from: index, life.peers)
        }
        cuts.midway += 1
        return fail(index)
      }
    }
    if flaw != .sendingFirst { leave(effects, told, honest, from: index, life.peers) }
    for (timer, instant) in effects.timers {
      schedule(.input(index, life: member.lives, .timer(timer)), at: max(now, instant))
    }
    if !recalls.isEmpty { schedule(.input(index, life: member.lives, .supply(recalls)), at: now) }
  }

  private func handle(_ input: Input, _ life: inout Life, _ effects: inout RecordingEffects<SecurePart>) {
    switch input {
    case .start: life.part.start(at: now, into: &effects)
    case .timer(let timer): life.part.expire(timer, at: now, into: &effects)
    case .submit(let transfer, _):
      life.part.handle(.broadcast(TransferBatch([transfer]).encoded), at: now, into: &effects)
    case .lost(let key):
      guard let peer = life.peers.table.peer(with: key) else { return }
      life.part.disconnect(from: peer, at: now, into: &effects)
    case .supply(let recalls):
      for recall in recalls {
        let stable = life.stable
        let values = recall.values { (try? stable.values($0)) ?? [] }
        life.part.handle(.supply(values, token: recall.token), at: now, into: &effects)
      }
    case .message(let bytes, let key):
      guard let sender = life.peers.table.peer(with: key) else { return }
      let message: NodeBroadcast.Message
      do throws(WireError) {
        var reader = WireReader(bytes)
        message = try NodeBroadcast.Message.decode(from: &reader, peers: &life.peers.table)
        try reader.finish()
      } catch {
        return witness.fault("a message of \(key.short) cannot be read: \(error)")
      }
      switch message {
      case .secure(let message): life.part.receive(.member(message), from: sender, at: now, into: &effects)
      case .ledger(let message): life.part.receive(.ledger(message), from: sender, at: now, into: &effects)
      case .numbers(let message): life.part.receive(.numbers(message), from: sender, at: now, into: &effects)
      case .tree: witness.fault("a message of the tree")
      }
    }
  }

  /// Has messages and answers leave a node.
  private func leave(
    _ effects: RecordingEffects<SecurePart>, _ notices: [SecurePart.Notice], _ honest: Set<TransferNumber>,
    from index: Int, _ peers: SharedPeerTable
  ) {
    let member = members[index]
    for case .misbehaved(let peer, let what) in effects.indications {
      witness.fault("\(peers.table.record(of: peer).key.short) is blamed for \(what)")
    }
    for (message, peer) in effects.sent {
      witness.sends(message, member.key, peers)
      let key = peers.table.record(of: peer).key
      guard let target = members.firstIndex(where: { $0.key == key }) else { continue }
      var writer = WireWriter(capacity: 256)
      switch message {
      case .member(let message):
        NodeBroadcast.Message.secure(message).encode(into: &writer, peers: peers.table)
      case .ledger(let message):
        NodeBroadcast.Message.ledger(message).encode(into: &writer, peers: peers.table)
      case .numbers(let message):
        NodeBroadcast.Message.numbers(message).encode(into: &writer, peers: peers.table)
      }
      send(writer.bytes, from: index, to: target)
    }
    for notice in notices {
      switch notice {
      case .submitted(let transfer, let refusal):
        let number = transfer.transfer.number
        guard honest.contains(number) else { continue }
        var isTaken = refusal == nil
        if case .numberUsed = refusal { isTaken = true }
        guard isTaken else { continue }
        witness.takes(transfer, member.key)
        for owner in untaken.indices where untaken[owner]?.transfer.number == number { untaken[owner] = nil }
      case .applied(let applied): witness.tellsFinal(applied.transfer, member.key)
      case .abandoned(let transfer):
        if witness.taken[transfer.transfer.number] != nil {
          witness.fault("\(transfer.transfer.number) was taken and then given up")
        }
      case .event, .certified: continue
      }
    }
  }

  /// A link delivers what it takes, unless one of its ends loses power; what is sent before the other end knows that it did is lost.
  private func send(_ bytes: [UInt8], from index: Int, to target: Int) {
    guard members[target].life != nil, let up = links[[index, target]] else { return }
    guard now >= up || members[index].begun > members[target].begun else { return }
    let latency = Interval.microseconds(500 + random.uniform(below: 10_000))
    schedule(
      .input(target, life: members[target].lives, .message(bytes, from: members[index].key)),
      at: max(now, up) + latency)
  }

  // MARK: - Load

  /// Has an owner pay at its node.
  func pay() {
    let owner = random.uniform(below: owners.count)
    let member = members[owner % members.count]
    guard let keeper = member.life?.part.keeper, !member.isNew else { return }
    if untaken[owner] == nil {
      let payer = owners[owner]
      let balance = keeper.expected(of: payer.publicKey).balance
      guard balance > 0 else { return }
      let transfer = Transfer(
        account: payer.publicKey, sequence: signed[owner], funds: balance,
        destinations: [
          .init(
            account: owners[random.uniform(below: owners.count)].publicKey,
            amount: UInt64(1 + random.uniform(below: Int(min(9, balance)))))
        ])
      untaken[owner] = SignedTransfer(transfer, in: genesis.hash, by: payer)
      signed[owner] += 1
    }
    // What was not answered is handed in again as it was signed.
    guard let transfer = untaken[owner] else { return }
    schedule(.input(owner % members.count, life: member.lives, .submit(transfer, isHonest: true)), at: now)
  }

  /// Has an owner sign two transfers under one number, for two nodes, and perhaps the next one as well, which then waits.
  func cheat() {
    guard nextCheat < cheats.count else { return }
    var all = Array(members.indices)
    random.shuffle(&all)
    let count: UInt64 = random.oneIn(2) ? 2 : 1
    for (index, payee) in zip(all, owners.prefix(2)) where !members[index].isNew {
      for sequence in 0..<count {
        let transfer = SignedTransfer(
          Transfer(
            account: cheats[nextCheat].publicKey, sequence: sequence, funds: 100_000 - 50_000 * sequence,
            // The second is one and the same.
            destinations: [
              .init(account: owners[sequence == 0 ? 0 : 2].publicKey, amount: sequence == 0 ? 50_000 : 1)
            ]
              + (sequence == 0 && payee.publicKey != owners[0].publicKey
                ? [.init(account: payee.publicKey, amount: 1)] : [])), in: genesis.hash,
          by: cheats[nextCheat])
        schedule(.input(index, life: members[index].lives, .submit(transfer, isHonest: false)), at: now)
      }
    }
    nextCheat += 1
  }

  // MARK: - Power

  /// Has one or several lose power at some moment that comes soon, and for how many milliseconds at most.
  func planCut(downtime: Int) {
    self.downtime = downtime
    var all = members.indices.filter { members[$0].life != nil }
    guard !all.isEmpty else { return }
    random.shuffle(&all)
    let count = [1, 1, 2, 3, 4, 4][random.uniform(below: 6)]
    company = Array(all.prefix(count).dropFirst())
    let first = members[all[0]]
    switch random.uniform(below: 10) {
    case 0: fail(all[0])
    case 1...3: first.disk.plan(.change, after: random.uniform(below: 60))
    case 4...5: first.disk.plan(.sync, after: random.uniform(below: 8))
    case 6...7: first.disk.plan(.checkpoint, after: random.uniform(below: 60))
    default: first.commitsUntilCut = 1 + random.uniform(below: 8)
    }
  }

  /// Cuts the power if the moment for which that was planned has not come.
  func cutAtLast(after events: Int) {
    guard cuts.events == events else { return }
    for member in members {
      member.disk.forgetPlan()
      member.commitsUntilCut = nil
    }
    if let index = members.indices.first(where: { members[$0].life != nil }) { fail(index) }
  }

  /// A node loses its disk and begins with nothing. It had brought all that it took: of a batch that only some have heard of
  /// nobody could tell it, and it would give the number to another.
  private func rebuild(_ index: Int) {
    let member = members[index]
    guard member.life?.part.keeper?.carriedCount == 0 else { return }
    rebuilt += 1
    member.life = nil
    member.inputs = []
    member.disk.replace()
    member.isNew = true
    witness.lost(member.key)
    begin(index)
  }

  /// Has owners pay for a while.
  func load(for interval: Interval, until isDone: () -> Bool = { false }) {
    let end = now + interval
    while now < end, !isDone() {
      if random.oneIn(40) { cheat() } else { pay() }
      run(for: .milliseconds(random.uniform(below: 60)), until: isDone)
    }
  }

  /// Has owners pay, cuts the power of one or several, and sees that all come to the same; or does not wait for that, so that the
  /// next cut finds them at it.
  func round() {
    load(for: .milliseconds(random.uniform(below: 600)))
    let before = cuts.events
    planCut(downtime: [20, 500, 4_000][random.uniform(below: 3)])
    load(for: .milliseconds(1_500), until: { cuts.events > before })
    cutAtLast(after: before)
    if random.oneIn(3) { return load(for: .milliseconds(random.uniform(below: 3_000))) }
    settle()
    if random.oneIn(10) { rebuild(random.uniform(below: members.count)) }
  }

  // MARK: - What must hold

  /// Whether all have applied what was taken by any, and are the same.
  var isSettled: Bool {
    let keepers = members.compactMap { $0.life?.part.keeper }
    guard keepers.count == members.count, untaken.allSatisfy({ $0 == nil }),
      Set(members.map { $0.life?.part.transfersApplied ?? 0 }).count == 1,
      Set(keepers.map(\.ledger.heldCount)).count == 1
    else { return false }
    return keepers.allSatisfy { keeper in
      owners.indices.allSatisfy { keeper.ledger[owners[$0].publicKey].next == signed[$0] }
    }
  }

  /// Lets the nodes come to rest, and sees that nothing is lost.
  func settle() {
    late = []
    for member in members {
      member.disk.forgetPlan()
      member.commitsUntilCut = nil
    }
    let start = now
    defer { rests.append(now - start) }
    for _ in 0..<600 where !isSettled {
      for owner in owners.indices where untaken[owner] != nil && members[owner % members.count].life != nil {
        if random.oneIn(4), let transfer = untaken[owner] {
          let index = owner % members.count
          schedule(.input(index, life: members[index].lives, .submit(transfer, isHonest: true)), at: now)
        }
      }
      run(for: .milliseconds(200))
    }
    guard isSettled else {
      let numbers = members.map { "\($0.life?.part.transfersApplied ?? 0)" }.joined(separator: ", ")
      return witness.fault(
        "the nodes have applied \(numbers) transfers, and \(signed.reduce(0, +)) were signed; two minutes did not help"
      )
    }
    let keepers = members.compactMap { $0.life?.part.keeper }
    if Set(keepers.map(\.ledger.stateHash)).count != 1 { witness.fault("the nodes have different accounts") }
    if keepers.contains(where: { $0.ledger.total != genesis.supply }) {
      witness.fault("money was made or lost")
    }
    for member in members { member.isNew = false }
    checkTransfers()
  }

  /// Sees that every node has each transfer that any node took or told final, as it was signed.
  private func checkTransfers() {
    let transfers = witness.takeUnchecked()
    for member in members {
      // A client that asks has what was applied written first.
      guard let writes = member.life?.part.flush(), let stable = member.life?.stable,
        let ledger = member.life?.part.keeper?.ledger
      else { continue }
      do {
        try stable.commit(writes)
        for transfer in transfers {
          let number = transfer.transfer.number
          let found = try LedgerQuestion.transfer(
            number, ledger[number.account], reading: { (try? stable.values($0)) ?? [] })
          if found?.encoded != transfer.encoded {
            witness.fault("\(member.key.short) lacks the transfer \(number)")
          }
        }
      } catch {
        witness.fault("a node stopped: \(error)")
      }
    }
  }
}
