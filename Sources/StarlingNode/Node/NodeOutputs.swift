import StarlingApps
import StarlingCore
import StarlingTransport

/// Writes down what the process host wants done, to be handled when it has returned.
struct HostOutputs: ProcessHostSink {
  typealias Hosted = NodeProcess

  enum Output {
    case transmit([UInt8], SocketAddress)
    case indicated(NodeProcess.Indication)
    case connected(ConnectionID, Peer)
    case closed(ConnectionID, CloseReason)
    case report(HostEvent)
  }

  var queue = Queue<Output>()

  mutating func transmit(_ datagram: [UInt8], to address: SocketAddress) {
    queue.append(.transmit(datagram, address))
  }
  mutating func indicated(_ indication: NodeProcess.Indication) { queue.append(.indicated(indication)) }
  mutating func connected(_ connection: ConnectionID, to peer: Peer) {
    queue.append(.connected(connection, peer))
  }
  mutating func closed(_ connection: ConnectionID, to peer: Peer?, _ reason: CloseReason) {
    queue.append(.closed(connection, reason))
  }
  mutating func report(_ event: HostEvent) { queue.append(.report(event)) }
}

/// Writes down what file sharing wants done, to be handled when it has returned.
struct FileOutputs: FileSharingSink {
  enum Output {
    case broadcast([UInt8])
    case requestChunk(Int, FileIdentifier)
    case announced(FileManifest, PublicKey)
    case arrived(Int, FileIdentifier, PublicKey)
    case recall(FileIdentifier, PublicKey)
    case store([UInt8], Int, FileIdentifier)
    case completed(FileIdentifier)
    case report(NodeEvent)
  }

  var queue = Queue<Output>()

  mutating func broadcast(_ payload: [UInt8]) { queue.append(.broadcast(payload)) }
  mutating func requestChunk(_ index: Int, of file: FileIdentifier) {
    queue.append(.requestChunk(index, file))
  }
  mutating func announced(_ manifest: FileManifest, by publisher: PublicKey) {
    queue.append(.announced(manifest, publisher))
  }
  mutating func store(_ chunk: [UInt8], index: Int, of file: FileIdentifier) {
    queue.append(.store(chunk, index, file))
  }
  mutating func completed(_ file: FileIdentifier) { queue.append(.completed(file)) }
  mutating func published(_ file: FileIdentifier) { queue.append(.report(.published(file))) }
  mutating func publicationFailed(_ file: FileIdentifier) {
    queue.append(.report(.publicationFailed(file)))
  }
  mutating func recall(_ file: FileIdentifier, from publisher: PublicKey) {
    queue.append(.recall(file, publisher))
  }
  mutating func abandoned(_ file: FileIdentifier) { queue.append(.report(.fileAbandoned(file))) }
  mutating func crowdedOut(_ file: FileIdentifier) { queue.append(.report(.fileCrowdedOut(file))) }
}
