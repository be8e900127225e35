import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingOverlay

@Suite("The running size estimate")
struct GroupSizeTests {
  /// A group in which everybody hears of everybody in every round.
  private struct Group {
    var sizes: [GroupSize]
    var random: Xoshiro256

    init(_ count: Int, random: Xoshiro256) {
      self.random = random
      sizes = (0..<count).map { _ in GroupSize() }
      for i in sizes.indices { sizes[i].start(&self.random) }
    }

    mutating func round() {
      for i in sizes.indices { sizes[i].advance(&random) }
      for _ in 0..<2 {
        for i in sizes.indices.dropFirst() {
          _ = sizes[i].hear(sizes[0].news, &random)
          _ = sizes[0].hear(sizes[i].news, &random)
        }
      }
    }
  }

  @Test("When most peers are gone the estimate follows, within a few epochs")
  func shrinking() {
    var group = Group(1_000, random: testRandom())
    for _ in 0..<24 { group.round() }
    let before = group.sizes[0].estimate
    #expect(before > 400 && before < 2_500, "\(before); \(replay)")
    group.sizes.removeLast(900)
    for _ in 0..<72 { group.round() }
    let after = group.sizes[0].estimate
    #expect(after > 40 && after < 300, "\(after); \(replay)")
  }

  @Test("A newcomer learns the settled size at once, and one that lags behind joins the newest epoch")
  func newcomer() {
    var group = Group(500, random: testRandom())
    for _ in 0..<30 { group.round() }
    var newcomer = GroupSize()
    newcomer.start(&group.random)
    #expect(newcomer.hear(group.sizes[0].news, &group.random))
    #expect(newcomer.news.epoch == group.sizes[0].news.epoch && newcomer.isSettled)
    #expect(abs(newcomer.estimate - group.sizes[0].estimate) < 1)
  }

  @Test("Nobody can hurry the epochs, nor bring back an old one")
  func hurry() {
    var random = testRandom()
    var size = GroupSize()
    size.start(&random)
    for _ in 0..<GroupSize.epochRounds { size.advance(&random) }
    #expect(size.news.epoch == 1)
    var claim = GroupSize.News()
    claim.epoch = 2
    #expect(!size.hear(claim, &random) && size.news.epoch == 1)
    claim.epoch = 0
    #expect(!size.hear(claim, &random) && size.news.epoch == 1)
    for _ in 0..<GroupSize.settlingRounds { size.advance(&random) }
    claim.epoch = 2
    #expect(size.hear(claim, &random) && size.news.epoch == 2)
  }

  /// News that claim as many peers as can be claimed.
  private func lie(in epoch: UInt16) throws -> GroupSize.News {
    var bytes: [UInt8] = [14] + [UInt8](repeating: 255, count: 19)
    (bytes[1], bytes[2]) = (UInt8(epoch >> 8), UInt8(epoch & 255))
    guard case .size(let news) = try decoded(OpenScamp.Message.self, from: bytes), news.epoch == epoch else {
      throw CancellationError()
    }
    return news
  }

  @Test("One lie of billions is believed fourfold at most, and is forgotten within a few epochs")
  func lie() throws {
    var group = Group(1_000, random: testRandom())
    for _ in 0..<24 { group.round() }
    let before = group.sizes[0].estimate
    _ = group.sizes[0].hear(try lie(in: group.sizes[0].news.epoch), &group.random)
    for _ in 0..<60 {
      group.round()
      let most = group.sizes.map(\.estimate).max() ?? 0
      #expect(most < 4.1 * before, "\(most) of \(before); \(replay)")
    }
    let after = group.sizes[0].estimate
    #expect(after > before / 2 && after < 2 * before, "\(after) of \(before); \(replay)")
  }

  @Test("A newcomer that a liar tells of billions believes it until it has measured twice itself")
  func lieToNewcomer() throws {
    var group = Group(100, random: testRandom())
    for _ in 0..<24 { group.round() }
    _ = group.sizes[0].hear(try lie(in: 0), &group.random)
    var newcomer = GroupSize()
    newcomer.start(&group.random)
    _ = newcomer.hear(try lie(in: group.sizes[0].news.epoch), &group.random)
    #expect(newcomer.estimate > 1e9)
    group.sizes.append(newcomer)
    for _ in 0..<36 { group.round() }
    #expect(group.sizes[100].estimate < 2_000, "\(group.sizes[100].estimate); \(replay)")
  }

  @Test(
    "A first node that was alone for hours knows within an epoch that a hundred have come, and a thousand in two"
  )
  func growth() {
    var group = Group(1, random: testRandom())
    for _ in 0..<100 { group.round() }
    for size in [(100, 50.0), (1_000, 200.0)] {
      while group.sizes.count < size.0 {
        var newcomer = GroupSize()
        newcomer.start(&group.random)
        group.sizes.append(newcomer)
      }
      for _ in 0..<18 { group.round() }
      #expect(group.sizes[0].estimate > size.1, "\(group.sizes[0].estimate) of \(size.0); \(replay)")
    }
  }

  @Test("A young peer takes any difference for another group; a settled one only late in an epoch")
  func foreign() {
    var random = testRandom()
    var (here, there) = (GroupSize(), GroupSize())
    for _ in 0..<4 {
      here.start(&random)
      there.start(&random)
    }
    #expect(here.isForeign(there.news) && !here.isForeign(here.news), "\(replay)")
    for _ in 0..<(GroupSize.epochRounds + 1) { here.advance(&random) }
    for _ in 0..<(GroupSize.epochRounds + 1) { there.advance(&random) }
    #expect(!here.isForeign(there.news), "the epoch has just begun; \(replay)")
    for _ in 0..<GroupSize.settlingRounds { here.advance(&random) }
    #expect(here.isForeign(there.news), "\(replay)")
  }
}
