import StarlingCore
import Testing

@Suite struct LatencyMatrixTests {
  @Test("a one-way delay is half the round trip, and comments and any white space are skipped")
  func halves() throws {
    let matrix = try LatencyMatrix(parsing: "# paris tokyo\n0 251.5\t# measured in May\n  250 7\r\n")
    #expect(matrix.rows == 2)
    #expect(matrix.delay(from: 0, to: 1) == .microseconds(125_750))
    #expect(matrix.delay(from: 1, to: 0) == .milliseconds(125))
  }

  @Test("two peers of one row are half of the smallest positive entry apart, whatever the diagonal says")
  func sameRow() throws {
    let matrix = try LatencyMatrix(parsing: "90 20 0\n 20 0 8\n 0 8 -1")
    for row in 0..<3 { #expect(matrix.delay(from: row, to: row) == .milliseconds(4)) }
    #expect(matrix.delay(from: 0, to: 2) == .zero)
  }

  @Test("an unknown entry takes the median of the known ones off the diagonal")
  func median() throws {
    let odd = try LatencyMatrix(parsing: "0 10 -1\n 20 0 40\n 60 80 0")
    #expect(odd.delay(from: 0, to: 2) == .milliseconds(20))
    let even = try LatencyMatrix(parsing: "0 -1.0 -1\n 20 0 40\n 60 80 0")
    #expect(even.delay(from: 0, to: 1) == .milliseconds(25))
  }

  @Test(
    "what is not a matrix is refused with one sentence",
    arguments: [
      "", "# only a comment", "1 2 3", "0 0 0 0", "-1", "0 x 1 0", "0 -2 1 0", "0 1e12 1 0", "nan 1 1 1",
      "1 2\n3 4 5\n",
    ])
  func refusals(text: String) {
    #expect {
      try LatencyMatrix(parsing: text)
    } throws: { error in
      "\(error)".hasSuffix(".")
    }
  }
}
