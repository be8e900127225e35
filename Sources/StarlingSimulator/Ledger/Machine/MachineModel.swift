import StarlingCore

/// What bounds the throughput of a process apart from delays: its link, and one processor core. Without bounds by default.
public struct MachineModel: Sendable {
  /// How many bytes a second leave the process, one message after another; `nil` for no bound.
  public var bandwidth: Int?
  /// How long it takes to check a signature.
  public var checkTime = Interval.zero
  /// How long it takes to take a message in, apart from signatures.
  public var messageTime = Interval.zero

  /// No bounds.
  public init() {}

  /// Whether everything is done at once.
  var isUnbounded: Bool { bandwidth == nil && checkTime == .zero && messageTime == .zero }

  /// How long so many bytes take to leave.
  func transmission(of bytes: Int) -> Interval {
    guard let bandwidth else { return .zero }
    return Interval(nanoseconds: Int64(Double(bytes) * 1e9 / Double(max(1, bandwidth))))
  }
}
