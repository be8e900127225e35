import StarlingCore
import StarlingOverlay
import StarlingTestSupport
import Testing

@Suite("SizeSketch")
struct SizeSketchTests {
  private func sketch(of peers: Int, _ random: inout Xoshiro256) -> SizeSketch {
    var sketch = SizeSketch()
    for _ in 0..<peers { sketch.merge(SizeSketch(drawnFrom: &random)) }
    return sketch
  }

  @Test(
    "The estimate of N peers is right on average and off by 27% as the formula says",
    arguments: [10, 100, 1_000])
  func error(peers: Int) {
    var random = testRandom()
    let trials = peers >= 1_000 ? 60 : 200
    var (sum, squares) = (0.0, 0.0)
    for _ in 0..<trials {
      let relative = sketch(of: peers, &random).estimate / Double(peers) - 1
      sum += relative
      squares += relative * relative
    }
    let (bias, spread) = (sum / Double(trials), (squares / Double(trials)).squareRoot())
    let stated = 1 / Double(SizeSketch.variables - 2).squareRoot()
    #expect(abs(bias) < 5 * stated / Double(trials).squareRoot(), "bias \(bias); \(replay)")
    #expect(spread > stated * 0.6 && spread < stated * 1.5, "spread \(spread); \(replay)")
  }

  @Test("Merging is idempotent, commutative and associative, so that it does not matter who hears what when")
  func merging() {
    var random = testRandom()
    func merged(_ parts: SizeSketch...) -> SizeSketch {
      var whole = SizeSketch()
      for part in parts { whole.merge(part) }
      return whole
    }
    for _ in 0..<100 {
      let (a, b, c) = (sketch(of: 3, &random), sketch(of: 20, &random), sketch(of: 1, &random))
      #expect(merged(a, a) == a && merged(a, SizeSketch()) == a, "\(replay)")
      #expect(merged(a, b) == merged(b, a), "\(replay)")
      #expect(merged(merged(a, b), c) == merged(a, merged(b, c)), "\(replay)")
      #expect(merged(a, b).estimate >= max(a.estimate, b.estimate), "\(replay)")
    }
  }

  @Test("No peers count as one, and the greatest lie as 2³², not as infinity")
  func bounds() throws {
    #expect(SizeSketch().estimate == 1)
    let lie = try decoded(OpenScamp.Message.self, from: [14] + [UInt8](repeating: 255, count: 19))
    guard case .size(let news) = lie else {
      Issue.record("kind 14 is a size")
      return
    }
    #expect(news.sketch.estimate > 1e9 && news.sketch.estimate < 0x1p33)
  }
}
