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
}
