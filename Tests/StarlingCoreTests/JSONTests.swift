import StarlingCore
import Testing

@Suite("JSON text")
struct JSONTests {
  @Test(
    "Each kind of value is written as RFC 8259 asks",
    arguments: [
      (JSONValue.null, "null"),
      (.bool(true), "true"),
      (.bool(false), "false"),
      (.integer(.min), "-9223372036854775808"),
      (.unsigned(.max), "18446744073709551615"),
      (.string("murmuration"), "\"murmuration\""),
      (.array([]), "[]"),
      (.object([]), "{}"),
    ])
  func scalars(value: JSONValue, text: String) {
    #expect(value.text(indented: false) == text)
    #expect(value.text(indented: true) == text)
  }

  @Test("A number is the shortest decimal that reads back as the same number")
  func shortestNumbers() {
    #expect(JSONValue.number(0.1).text(indented: false) == "0.1")
    #expect(JSONValue.number(0.1 + 0.2).text(indented: false) == "0.30000000000000004")
    for value in [1.0, -0.0, 1e21, Double.leastNonzeroMagnitude, 1.7976931348623157e308, 1.0 / 3] {
      #expect(Double(JSONValue.number(value).text(indented: false)) == value)
    }
  }

  @Test("What JSON has no number for is null", arguments: [Double.nan, .infinity, -.infinity])
  func notFinite(value: Double) {
    #expect(JSONValue.number(value).text(indented: false) == "null")
  }

  @Test("Quotation marks, backslashes and control characters are escaped, and nothing else")
  func escapes() {
    #expect(JSONValue.string("a\"b\\c/d").text(indented: false) == #""a\"b\\c/d""#)
    #expect(
      JSONValue.string("\u{08}\t\n\u{0C}\r\u{0}\u{1F}").text(indented: false)
        == #""\b\t\n\f\r\u0000\u001f""#)
    #expect(JSONValue.string("étourneau 🐦").text(indented: false) == "\"étourneau 🐦\"")
    // What commands a terminal, though JSON may hold it: DEL, CSI, and what turns the text round.
    #expect(
      JSONValue.string("\u{7F}\u{9B}\u{202E}\u{FEFF}").text(indented: false) == #""\u007f\u009b\u202e\ufeff""#
    )
    #expect(JSONValue.object([("a\nb", .null)]).text(indented: false) == #"{"a\nb":null}"#)
  }

  @Test("Members keep their order, compact or indented")
  func layout() {
    let value = JSONValue.object([
      ("zeta", .integer(1)),
      ("alpha", .array([.integer(1), .integer(2)])),
      ("empty", .object([])),
      ("files", .array([.object([("name", .string("x"))]), .null])),
    ])
    #expect(
      value.text(indented: false)
        == #"{"zeta":1,"alpha":[1,2],"empty":{},"files":[{"name":"x"},null]}"#)
    #expect(
      value.text(indented: true) == """
        {
          "zeta": 1,
          "alpha": [1, 2],
          "empty": {},
          "files": [
            {
              "name": "x"
            },
            null
          ]
        }
        """)
  }
}
