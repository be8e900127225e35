/// The sink into which a process pushes everything it wants done, and from which it draws randomness.
///
/// The driver owns the sink: the simulator's puts events into its queue, the node's encodes and sends
/// datagrams. A process is generic over it, so each driver gets its own specialised copy of the protocol and
/// an effect costs a direct, usually inlined, call.
public protocol Effects<Owner>: RandomSource, ~Copyable {
  /// The kind of process whose effects these are.
  associatedtype Owner: Process
  /// A message made ready for sending: stored or encoded once, however many peers it goes to.
  associatedtype Parcel

  /// Makes a message ready to be sent, once, to any number of peers.
  ///
  /// - Returns: a parcel that is valid until the handler that asked for it returns.
  mutating func prepare(_ message: Owner.Message) -> Parcel

  /// Sends a prepared message. Delivery is not promised.
  mutating func send(_ parcel: Parcel, to peer: Peer)

  /// Hands `timer` back to the process at `instant`, or at once if that has passed.
  mutating func schedule(_ timer: Owner.Timer, at instant: Instant)

  /// Tells the layer above.
  mutating func indicate(_ indication: Owner.Indication)
}

extension Effects where Self: ~Copyable {
  /// Sends a message to one peer. Delivery is not promised.
  @inlinable
  public mutating func send(_ message: Owner.Message, to peer: Peer) {
    send(prepare(message), to: peer)
  }
}
