/// How many bytes may be in flight: a fixed number, so a connection neither probes for bandwidth nor slows
/// down for others. Congestion control is to replace this type and nothing around it.
struct SendWindow {
  let limit: Int
  private(set) var inFlight = 0

  init(limit: Int) { self.limit = limit }

  /// Whether that many bytes more may go out.
  func allows(_ byteCount: Int) -> Bool { inFlight + byteCount <= limit }

  mutating func sent(_ byteCount: Int) { inFlight += byteCount }
  mutating func acknowledged(_ byteCount: Int) { inFlight -= byteCount }
  mutating func lost(_ byteCount: Int) { inFlight -= byteCount }
}
