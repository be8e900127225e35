import StarlingCore
import Testing

@testable import StarlingTransport

private func instant(_ milliseconds: Int) -> Instant { .zero + .milliseconds(milliseconds) }

extension OutgoingMessages {
  fileprivate var isIdle: Bool {
    var copy = self
    return !copy.hasNext()
  }
}

@Suite struct ReceivedPacketsTests {
  @Test("Each packet is new once, and those too old to tell are not new")
  func replayWindow() {
    var random = Xoshiro256(seed: testSeed)
    var received = ReceivedPackets()
    var model: Set<UInt64> = []
    var newest: UInt64 = 0
    for _ in 0..<20_000 {
      let step = random.oneIn(500) ? 5_000 : random.uniform(below: 8)
      let number =
        random.oneIn(3) ? newest + UInt64(step) : newest - min(newest, UInt64(random.uniform(below: 2_300)))
      let isNew = !model.contains(number) && (model.isEmpty || number + 2_048 > newest)
      #expect(received.isNew(number) == isNew, replay)
      guard isNew else { continue }
      received.note(number, isAckEliciting: false, at: .zero)
      model.insert(number)
      newest = max(newest, number)
    }
  }

  @Test("Acknowledgements name what came, in order, merged")
  func ranges() throws {
    var received = ReceivedPackets()
    for number in [0, 1, 5, 3, 9, 8, 4, 11] as [UInt64] {
      received.note(number, isAckEliciting: true, at: instant(Int(number)))
    }
    var writer = WireWriter()
    received.acknowledge(at: instant(15), into: &writer)
    var reader = WireReader(writer.bytes)
    let expected = Acknowledgement(ranges: [11...11, 8...9, 3...5, 0...1], delayMicroseconds: 4_000)
    #expect(try Frame.decode(from: &reader) == .acknowledgement(expected))
    #expect(!received.owesAcknowledgement && received.deadline == nil)
  }

  @Test("Every second packet, or one out of order, is acknowledged at once, a single one after 25 ms")
  func delay() {
    var received = ReceivedPackets()
    var writer = WireWriter()
    received.note(0, isAckEliciting: true, at: instant(0))
    #expect(!received.isDue(at: instant(24)) && received.isDue(at: instant(25)))
    #expect(received.deadline == instant(25))
    received.note(1, isAckEliciting: true, at: instant(1))
    #expect(received.isDue(at: instant(1)))
    received.acknowledge(at: instant(1), into: &writer)
    #expect(!received.isDue(at: instant(1_000)))
    received.note(3, isAckEliciting: true, at: instant(2))
    #expect(received.isDue(at: instant(2)))
    received.acknowledge(at: instant(2), into: &writer)
    received.note(2, isAckEliciting: true, at: instant(3))
    #expect(received.isDue(at: instant(3)))
    received.acknowledge(at: instant(3), into: &writer)
    received.note(4, isAckEliciting: false, at: instant(4))
    #expect(!received.owesAcknowledgement && received.deadline == nil)
  }
}

@Suite struct LossRecoveryTests {
  private func recovery(sending numbers: [UInt64], everyMilliseconds step: Int = 1) -> LossRecovery {
    var recovery = LossRecovery(windowBytes: 1 << 20)
    for (i, number) in numbers.enumerated() {
      recovery.sent(
        SentPacket(number: number, sentAt: instant(i * step), byteCount: 1_000, fragments: []))
    }
    return recovery
  }

  private func acknowledgement(_ ranges: ClosedRange<UInt64>..., delay: UInt64 = 0) -> Acknowledgement {
    Acknowledgement(ranges: ranges, delayMicroseconds: delay)
  }

  @Test("Before any measurement the probe comes after 333 ms and four times half of it, then twice that")
  func initialProbe() {
    var recovery = recovery(sending: [0])
    #expect(recovery.deadline == instant(333 + 666 + 25))
    let (lost, probes) = recovery.expire(at: instant(1_024))
    #expect(lost.isEmpty && probes.map(\.number) == [0])
    #expect(recovery.deadline == instant(2 * 1_024))
    #expect(recovery.expire(at: instant(1_500)).probes.isEmpty)
    _ = recovery.acknowledge(acknowledgement(0...0), at: instant(2_000))
    #expect(recovery.deadline == nil && !recovery.hasOutstanding)
  }

  @Test("An acknowledgement ends the doubling")
  func backOffEnds() {
    var recovery = recovery(sending: [0, 1])
    for milliseconds in [2_000, 5_000] {
      #expect(recovery.expire(at: instant(milliseconds)).probes.count == 2)
    }
    #expect(recovery.probeInterval == .milliseconds(4 * 1_024))
    // Packet 0 took 100 ms as the clock of this test goes: 100 + 4 · 50 + 25.
    _ = recovery.acknowledge(acknowledgement(0...0), at: instant(100))
    #expect(recovery.probeInterval == .milliseconds(325))
  }

  @Test("Round trips are smoothed as in RFC 9002, section 5.3, without the peer's delay")
  func roundTrips() {
    var estimator = RoundTripEstimator()
    estimator.update(.milliseconds(100), ackDelay: .milliseconds(20))
    #expect(estimator.smoothed == .milliseconds(100))
    #expect(estimator.probeTimeout == .milliseconds(100 + 4 * 50 + 25))
    // adjusted 200 − 20 = 180; variation (3·50 + 80) / 4 = 57.5; smoothed (7·100 + 180) / 8 = 110.
    estimator.update(.milliseconds(200), ackDelay: .milliseconds(20))
    #expect(estimator.smoothed == .milliseconds(110))
    #expect(estimator.probeTimeout == .milliseconds(110 + 230 + 25))
    #expect(estimator.lossDelay == .milliseconds(225))
    // A delay that would make the sample smaller than the smallest is not believed.
    estimator.update(.milliseconds(110), ackDelay: .milliseconds(20))
    #expect(estimator.smoothed == .milliseconds(110))
    estimator.update(Interval(nanoseconds: -5), ackDelay: .zero)
    #expect(estimator.smoothed == .microseconds(96_250))
  }

  @Test("A packet is lost once one sent three later is acknowledged, not two later")
  func packetThreshold() {
    var recovery = recovery(sending: [0, 1, 2, 3, 4, 5])
    let first = recovery.acknowledge(acknowledgement(2...2), at: instant(50))
    #expect(first.acknowledged.map(\.number) == [2] && first.lost.isEmpty)
    #expect(recovery.window.inFlight == 5_000)
    let second = recovery.acknowledge(acknowledgement(4...4, 2...2), at: instant(50))
    #expect(second.acknowledged.map(\.number) == [4] && second.lost.map(\.number) == [0, 1])
    #expect(recovery.window.inFlight == 2_000)
    let third = recovery.acknowledge(acknowledgement(5...5), at: instant(51))
    #expect(third.acknowledged.map(\.number) == [5] && third.lost.isEmpty)
    #expect(recovery.hasOutstanding)
  }

  @Test("A packet is lost 9/8 of a round trip after it was sent, if a later one is acknowledged")
  func timeThreshold() {
    var recovery = recovery(sending: [0, 1], everyMilliseconds: 8)
    let result = recovery.acknowledge(acknowledgement(1...1), at: instant(88))
    #expect(result.acknowledged.count == 1 && result.lost.isEmpty)
    // The round trip is 80 ms, so packet 0 is lost 90 ms after it was sent.
    #expect(recovery.deadline == instant(90))
    #expect(recovery.expire(at: instant(89)).lost.isEmpty)
    #expect(recovery.expire(at: instant(90)).lost.map(\.number) == [0])
    #expect(recovery.deadline == nil && recovery.window.inFlight == 0)
  }

  @Test("The peer's word for its delay counts for 25 ms at most, and nothing is acknowledged twice")
  func liar() {
    var recovery = recovery(sending: [0, 1])
    _ = recovery.acknowledge(acknowledgement(0...0), at: instant(100))
    let again = recovery.acknowledge(acknowledgement(0...0, delay: 1 << 61), at: instant(150))
    #expect(again.acknowledged.isEmpty && recovery.roundTrip.smoothed == .milliseconds(100))
    _ = recovery.acknowledge(acknowledgement(0...1, delay: 1 << 61), at: instant(201))
    #expect(recovery.roundTrip.smoothed == (.milliseconds(700) + .milliseconds(175)) / 8)
    #expect(recovery.window.inFlight == 0)
  }
}

@Suite struct MessageTests {
  private func part(_ number: UInt64, _ index: Int, of content: [UInt8]) -> Fragment {
    Fragment(
      message: number, total: content.count, index: index,
      bytes: Array(content[Fragment.range(index, total: content.count)]))
  }

  @Test("Parts in any order, some twice, make their message once")
  func assembly() throws {
    var random = Xoshiro256(seed: testSeed)
    var incoming = IncomingMessages(byteLimit: 1 << 20)
    let contents = (0..<10).map { testMessage($0, byteCount: $0 * 1_700) }
    var parts: [Fragment] = []
    for (i, content) in contents.enumerated() {
      for index in 0..<Fragment.count(total: content.count) {
        for _ in 0..<2 { parts.append(part(UInt64(i), index, of: content)) }
      }
    }
    random.shuffle(&parts)
    var whole: [[UInt8]] = []
    var duplicates = 0
    for part in parts {
      switch try incoming.receive(part) {
      case .whole(let message): whole.append(message)
      case .duplicate: duplicates += 1
      case .incomplete: break
      }
    }
    #expect(whole.sorted { $0.count < $1.count } == contents, replay)
    #expect(duplicates == parts.count / 2 && incoming.heldBytes == 0)
  }

  @Test("Delivered numbers are remembered in bounded space: only so far ahead of what is missing")
  func span() throws {
    var incoming = IncomingMessages(byteLimit: 1 << 20)
    for number in 1..<OutgoingMessages.span {
      #expect(try incoming.receive(part(number, 0, of: [1])) == .whole([1]))
    }
    #expect(throws: WireError.self) { try incoming.receive(part(OutgoingMessages.span, 0, of: [1])) }
    #expect(try incoming.receive(part(0, 0, of: [1])) == .whole([1]))
    #expect(try incoming.receive(part(OutgoingMessages.span, 0, of: [2])) == .whole([2]))
    for number in [0, 1, 4_095, 4_096] as [UInt64] {
      #expect(try incoming.receive(part(number, 0, of: [1])) == .duplicate)
    }
  }

  @Test("A message cannot change its size")
  func twoSizes() throws {
    var incoming = IncomingMessages(byteLimit: 1 << 20)
    let content = testMessage(1, byteCount: 3_000)
    #expect(try incoming.receive(part(0, 1, of: content)) == .incomplete)
    #expect(throws: WireError.self) { try incoming.receive(part(0, 0, of: content + [1])) }
    #expect(throws: WireError.self) { try incoming.receive(part(0, 0, of: [1])) }
  }

  @Test("A sender stays within the span of numbers when an old message is stuck")
  func stuck() throws {
    var outgoing = OutgoingMessages(byteLimit: 1 << 20, messageLimit: 10_000)
    for _ in 0..<5_000 { try outgoing.append([1]) }
    var writer = WireWriter()
    var sent: [FragmentReference] = []
    while let next = outgoing.writeNext(room: 2_000, into: &writer) { sent.append(next.part) }
    #expect(sent.count == 4_096)
    for part in sent.dropFirst() { outgoing.acknowledge(part) }
    #expect(outgoing.isIdle && outgoing.queuedBytes == 905)
    outgoing.repeatSending(sent[1])
    #expect(outgoing.isIdle)
    outgoing.repeatSending(sent[0])
    #expect(outgoing.writeNext(room: 2_000, into: &writer)?.isRepeated == true)
    #expect(outgoing.isIdle)
    outgoing.acknowledge(sent[0])
    outgoing.acknowledge(sent[0])
    #expect(outgoing.writeNext(room: 2_000, into: &writer)?.part.message == 4_096)
    #expect(outgoing.queuedBytes == 904)
  }

  @Test("A queue that refused is writable once half of it is free, and says so once")
  func writable() throws {
    for byBytes in [true, false] {
      var outgoing = OutgoingMessages(byteLimit: byBytes ? 8 : 100, messageLimit: byBytes ? 100 : 8)
      var writer = WireWriter()
      var sent: [FragmentReference] = []
      for _ in 0..<8 { try outgoing.append([1]) }
      while let next = outgoing.writeNext(room: 100, into: &writer) { sent.append(next.part) }
      var calls: [Bool] = [outgoing.becameWritable()]
      #expect(throws: SendError.queueFull) { try outgoing.append([1]) }
      for part in sent {
        calls.append(outgoing.becameWritable())
        outgoing.acknowledge(part)
      }
      #expect(calls == [false, false, false, false, false, true, false, false, false])
    }
  }

  @Test("A sender begins no message that would not fit at the peer, and no frame goes beyond its room")
  func peerLimit() throws {
    var outgoing = OutgoingMessages(byteLimit: 1 << 20, messageLimit: 100)
    outgoing.peerReassemblyBytes = 65_536
    try outgoing.append([UInt8](repeating: 1, count: 60_000))
    try outgoing.append([UInt8](repeating: 2, count: 6_000))
    var writer = WireWriter()
    #expect(outgoing.writeNext(room: 1_000, into: &writer) == nil && writer.bytes.isEmpty)
    var sent: [FragmentReference] = []
    while let next = outgoing.writeNext(room: 1_200, into: &writer) { sent.append(next.part) }
    #expect(sent.count == 55)
    for part in sent { outgoing.acknowledge(part) }
    #expect(outgoing.writeNext(room: 1_200, into: &writer)?.part == FragmentReference(message: 1, index: 0))
  }
}
