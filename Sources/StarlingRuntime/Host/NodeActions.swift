import StarlingApps
import StarlingCore
import StarlingLedger
import StarlingNode

/// What a node wants done, noted down in order until its driver does it.
struct NodeActions: NodeSink {
  enum Action {
    case transmit(Datagram)
    case requestChunk(Int, FileIdentifier)
    case announced(FileManifest, PublicKey)
    case arrived(Int, FileIdentifier, PublicKey)
    case store([UInt8], Int, FileIdentifier)
    case completed(FileIdentifier)
    case deliverPosts([Post], PublicKey)
    case applied(Ledger.Applied)
    case abandoned(SignedTransfer)
    case certified(TransferNumber, Result<Certificate, CertificateFailure>)
    case recall(StableRecall)
    case report(NodeEvent)
  }

  /// What is to be kept before anything else is done.
  private(set) var writes: [StableWrite] = []
  private var actions: [Action] = []
  private var next = 0

  /// Takes the oldest action that was not done.
  mutating func popFirst() -> Action? {
    guard next < actions.count else {
      actions.removeAll(keepingCapacity: true)
      next = 0
      return nil
    }
    next += 1
    return actions[next - 1]
  }

  mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) {
    actions.append(.transmit(Datagram(bytes: datagram, address: address)))
  }

  mutating func requestChunk(_ index: Int, of file: FileIdentifier) {
    actions.append(.requestChunk(index, file))
  }

  mutating func announced(_ manifest: FileManifest, by publisher: PublicKey) {
    actions.append(.announced(manifest, publisher))
  }

  mutating func arrived(_ index: Int, of file: FileIdentifier, from neighbour: PublicKey) {
    actions.append(.arrived(index, file, neighbour))
  }

  mutating func store(_ chunk: [UInt8], index: Int, of file: FileIdentifier) {
    actions.append(.store(chunk, index, file))
  }

  mutating func completed(_ file: FileIdentifier) { actions.append(.completed(file)) }

  mutating func delivered(_ posts: [Post], by author: PublicKey) {
    actions.append(.deliverPosts(posts, author))
  }

  mutating func applied(_ applied: Ledger.Applied) { actions.append(.applied(applied)) }

  mutating func abandoned(_ transfer: SignedTransfer) { actions.append(.abandoned(transfer)) }

  mutating func certified(_ number: TransferNumber, _ outcome: Result<Certificate, CertificateFailure>) {
    actions.append(.certified(number, outcome))
  }

  mutating func recall(_ recall: StableRecall) { actions.append(.recall(recall)) }

  mutating func keep(_ write: StableWrite) { writes.append(write) }

  /// Takes what is to be kept.
  mutating func takeWrites() -> [StableWrite] {
    defer { writes = [] }
    return writes
  }

  mutating func report(_ event: NodeEvent) { actions.append(.report(event)) }
}
