import StarlingCore
import Testing

@testable import StarlingRuntime

@Suite struct ImpairmentTests {
  private func address(_ port: UInt16) throws -> SocketAddress {
    try #require(SocketAddress(host: [127, 0, 0, 1], port: port))
  }

  private func impairment(_ model: String?, loss: Double = 0, matrix: String = "") throws -> Impairment {
    Impairment(
      delay: try model.map { try DelayModel.parse($0) { _ in matrix } }, loss: loss,
      local: try address(1), seed: testRandomSeed)
  }

  private var testRandomSeed: UInt64 {
    var random = testRandom("Impairment")
    return random.next()
  }

  @Test("every datagram leaves when its delay is over, in the order of the instants, with the law's mean")
  func delays() throws {
    var impairment = try impairment("gaussian:50ms,10ms")
    let target = try address(2)
    for i in 0..<4_000 {
      impairment.accept(Datagram(bytes: [UInt8(i & 255)], address: target), at: .zero)
    }
    var sum = 0.0
    var count = 0
    var now = Instant.zero
    while impairment.nextDeadline != .distantFuture {
      let next = impairment.nextDeadline
      #expect(next >= now)
      now = next
      #expect(impairment.release(at: Instant(nanoseconds: now.nanoseconds - 1)) == nil)
      while impairment.release(at: now) != nil {
        sum += (now - .zero).inMilliseconds
        count += 1
      }
    }
    #expect(count == 4_000)
    #expect(abs(sum / 4_000 - 50) < 1)
  }

  @Test("a constant delay keeps the order of sending")
  func order() throws {
    var impairment = try impairment("constant:1ms")
    let target = try address(2)
    for i in 0..<200 { impairment.accept(Datagram(bytes: [UInt8(i)], address: target), at: .zero) }
    var order: [UInt8] = []
    while let datagram = impairment.release(at: .zero + .milliseconds(1)) { order += datagram.bytes }
    #expect(order == (0..<200).map { UInt8($0) })
  }

  @Test("the given share of the datagrams is lost, and the rest leaves at once without a delay model")
  func loss() throws {
    var impairment = try impairment(nil, loss: 0.2)
    let target = try address(2)
    var left = 0
    for _ in 0..<20_000 {
      impairment.accept(Datagram(bytes: [], address: target), at: .zero)
      if impairment.release(at: .zero) != nil { left += 1 }
    }
    // Five standard deviations of a binomial.
    #expect(abs(left - 16_000) < 285)
    #expect(impairment.lost == UInt64(20_000 - left))
  }

  @Test("the queue is bounded: what comes on top is lost")
  func bounded() throws {
    var impairment = try impairment("constant:1s")
    let target = try address(2)
    for _ in 0..<(Impairment.queueLimit + 3) {
      impairment.accept(Datagram(bytes: [], address: target), at: .zero)
    }
    #expect(impairment.lost == 3)
  }

  @Test("both ends of a connection take the same two rows of a matrix, so a round trip adds up")
  func matrix() throws {
    let text = "0 10 20\n 30 0 40\n 50 60 0"
    let oneWay: Set<Int64> = [5, 10, 15, 20, 25, 30]
    for port in UInt16(2)..<40 {
      let (here, there) = (try address(1), try address(port))
      let model = try DelayModel.parse("matrix:m") { _ in text }
      var out = Impairment(delay: model, loss: 0, local: here, seed: 1)
      var back = Impairment(delay: model, loss: 0, local: there, seed: 2)
      out.accept(Datagram(bytes: [], address: there), at: .zero)
      back.accept(Datagram(bytes: [], address: here), at: .zero)
      let rows = (Impairment.row(of: here, among: 3), Impairment.row(of: there, among: 3))
      let matrix = try LatencyMatrix(parsing: text)
      #expect(out.nextDeadline == Instant.zero + matrix.delay(from: rows.0, to: rows.1))
      #expect(back.nextDeadline == Instant.zero + matrix.delay(from: rows.1, to: rows.0))
      #expect(oneWay.contains(Int64(out.nextDeadline.nanoseconds / 1_000_000)))
    }
  }
}
