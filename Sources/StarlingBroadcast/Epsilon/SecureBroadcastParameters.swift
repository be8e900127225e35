/// The parameters of probabilistic secure broadcast and of the layers below it, with the thesis's names.
public struct SecureBroadcastParameters: Hashable, Sendable {
  /// G: the expected size of the gossip sample (Algorithm 6).
  public var gossip: Int
  /// E: the size of the echo sample (Algorithm 8).
  public var echo: Int
  /// Ê: how many echoes of the sample deliver a message.
  public var echoThreshold: Int
  /// R: the size of the ready sample (Algorithm 9).
  public var ready: Int
  /// R̂: how many ready messages of the sample make a process ready.
  public var readyThreshold: Int
  /// D: the size of the delivery sample.
  public var delivery: Int
  /// D̂: how many ready messages of that sample deliver a message.
  public var deliveryThreshold: Int

  /// Samples of 1 or more, thresholds from 1 to the size of their sample.
  public init(
    gossip: Int, echo: Int, echoThreshold: Int, ready: Int, readyThreshold: Int, delivery: Int,
    deliveryThreshold: Int
  ) {
    self.gossip = gossip
    self.echo = echo
    self.echoThreshold = echoThreshold
    self.ready = ready
    self.readyThreshold = readyThreshold
    self.delivery = delivery
    self.deliveryThreshold = deliveryThreshold
  }
}
