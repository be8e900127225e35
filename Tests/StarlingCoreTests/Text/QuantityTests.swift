import StarlingCore
import Testing

@Suite struct QuantityTests {
  @Test("A number of things has its noun in the singular or the plural, and its thousands apart")
  func counts() {
    #expect(Quantity.count(1, "peer") == "1 peer" && Quantity.count(0, "peer") == "0 peers")
    #expect(Quantity.count(1_000, "delivery", "deliveries") == "1,000 deliveries")
    #expect(Quantity.grouped(999) == "999" && Quantity.grouped(-1_234_567) == "-1,234,567")
  }

  @Test(
    "durations are read exactly, in every unit",
    arguments: [
      ("50ms", 50_000_000), ("2s", 2_000_000_000), ("10min", 600_000_000_000), ("3h", 10_800_000_000_000),
      ("20us", 20_000), ("7ns", 7), ("1.5ms", 1_500_000), ("0", 0), ("0s", 0), (".5s", 500_000_000),
      ("0.1ns", 0), ("0.5ns", 1), ("1e3ms", 1_000_000_000), ("2.5e-1s", 250_000_000),
      ("1000000h", 3_600_000_000_000_000_000),
    ])
  func durations(text: String, nanoseconds: Int64) throws {
    #expect(try Quantity.duration(text).nanoseconds == nanoseconds)
  }

  @Test(
    "what is not a duration is refused with one sentence",
    arguments: [
      "", "5", "ms", "-5ms", "5 ms", "5m", "5MS", "1.2.3s", "1000001h", "99999999999999999999999h", "nans",
      "infs", "1e99999s", "1e999999s", "0x10s", "５ms", "1e", "--1s", "5ms ", "1,5s",
    ])
  func notDurations(text: String) {
    #expect {
      try Quantity.duration(text)
    } throws: { error in
      let sentence = "\(error)"
      return sentence.hasSuffix(".") && sentence.contains("\"\(text)\"")
    }
  }

  @Test(
    "sizes are read in powers of 1,000 and of 1,024",
    arguments: [
      ("1024", 1_024), ("64KiB", 65_536), ("1MB", 1_000_000), ("2.5GiB", 2_684_354_560), ("7B", 7), ("0", 0),
      ("1kB", 1_000), ("8192TiB", 1 << 53),
    ])
  func sizes(text: String, bytes: Int) throws {
    #expect(try Quantity.size(text) == bytes)
  }

  @Test(
    "what is not a size is refused",
    arguments: ["", "KiB", "-1", "1XB", "1mib", "8193TiB", "18446744073709551616", "1e30GB"])
  func notSizes(text: String) {
    #expect(throws: QuantityError.self) { try Quantity.size(text) }
  }

  @Test(
    "shares are read as percentages and as fractions",
    arguments: [
      ("5%", 0.05), ("0.05", 0.05), ("0%", 0), ("100%", 1), ("1", 1), ("0.3%", 0.003), ("12.5%", 0.125),
      ("33.3333%", 0.333333), ("1e-7", 1e-7),
    ])
  func shares(text: String, share: Double) throws {
    #expect(try Quantity.share(text) == share)
  }

  @Test(
    "what is not a share is refused",
    arguments: ["", "%", "101%", "1.01", "-1%", "-0.1", "5 %", "nan", "inf", "5%%", "1e300"])
  func notShares(text: String) {
    #expect(throws: QuantityError.self) { try Quantity.share(text) }
  }

  @Test(
    "a printed duration is read back as it was",
    arguments: [
      (0, "0s"), (1, "1ns"), (1_500, "1.5us"), (50_000_000, "50ms"), (1_234_567, "1.234567ms"),
      (90_000_000_000, "90s"), (600_000_000_000, "10min"), (10_800_000_000_000, "3h"),
      (3_600_000_000_001, "3600.000000001s"),
    ])
  func printing(nanoseconds: Int64, text: String) throws {
    let duration = Interval(nanoseconds: nanoseconds)
    #expect(Quantity.text(of: duration) == text)
    #expect(try Quantity.duration(text) == duration)
  }
}
