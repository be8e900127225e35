import StarlingCore
import Testing

@Suite struct DelayModelTests {
  private struct Unreadable: Error, CustomStringConvertible { let description = "no such file" }

  @Test(
    "a model prints in the syntax it is read from",
    arguments: [
      "constant:50ms", "uniform:20ms,80ms", "gaussian:50ms,10ms", "lognormal:60ms,0.5", "lognormal:1.5s,2",
      "matrix:a,b:c.txt",
    ])
  func roundTrip(text: String) throws {
    #expect(try DelayModel.parse(text) { _ in "0 1 1 0" }.description == text)
  }

  @Test("a matrix is read from the named file")
  func file() throws {
    var asked = ""
    let model = try DelayModel.parse("matrix:cities.txt") { file in
      asked = file
      return "0 4 2 0"
    }
    #expect(asked == "cities.txt")
    #expect(model == .matrix(try LatencyMatrix(parsing: "0 4 2 0"), file: "cities.txt"))
  }

  @Test(
    "what is not a model is refused with one sentence",
    arguments: [
      "", "constant", "constant:", "constant:1ms,2ms", "uniform:80ms,20ms", "gaussian:50ms",
      "lognormal:60ms,-1", "lognormal:60ms,11", "constant:25h", "pareto:1ms,2", "constant:5", "matrix:gone",
    ])
  func refusals(text: String) {
    #expect {
      try DelayModel.parse(text) { _ in throw Unreadable() }
    } throws: { error in
      error is QuantityError && !"\(error)".isEmpty
    }
  }
}
