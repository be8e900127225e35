import FoundationEssentials
import Glibc
import StarlingCore
import StarlingLedger
import Testing

@testable import StarlingRuntime

@Suite(
  "The ledger's page in a browser", .serialized,
  .enabled(if: Chromium.path != nil, "install Chromium to test the page: apt-get install chromium"))
struct LedgerPageTests {
  private let server: LedgerTestServer
  private let stranger: PublicKey

  init() throws {
    server = try LedgerTestServer()
    stranger = try Identity(seed: [UInt8](repeating: 99, count: 32)).publicKey
  }

  private func key(_ owner: Int) -> PublicKey { server.ledger.owners[owner].publicKey }

  /// A browser that shows the page, and asked nobody but the node for anything.
  private func browser(width: Int = 1_280, height: Int = 900, isDark: Bool = false) throws -> Chromium {
    let browser = try Chromium(width: width, height: height, isDark: isDark)
    try browser.open("http://\(server.local)/")
    try browser.wait(for: "document.getElementById('live')?.textContent === 'live'")
    return browser
  }

  private func submit(_ transfer: SignedTransfer) throws {
    let body = "{\"transfer\":\"\(hexadecimal(transfer.encoded))\"}"
    #expect(try server.post("/api/v1/transfers", body).status < 300)
  }

  private func pay(_ browser: Chromium, _ to: String, _ amount: String, _ memo: String) throws {
    func text(_ value: String) throws -> String {
      String(decoding: try ControlCoding.encode(value), as: UTF8.self)
    }
    _ = try browser.evaluate(
      """
      document.getElementById('to').value = \(try text(to));
      document.getElementById('amount').value = \(try text(amount));
      document.getElementById('memo').value = \(try text(memo));
      document.getElementById('pay-form').requestSubmit(); true
      """)
  }

  private func check(_ browser: Chromium) throws {
    _ = try browser.evaluate("1")
    let elsewhere = browser.requests.filter {
      !$0.hasPrefix("http://\(server.local)/") && !$0.hasPrefix("data:")
    }
    #expect(elsewhere == [] && !browser.requests.isEmpty)
    #expect(browser.complaints == [])
  }

  @Test(
    "A person follows an account and pays from the demonstration wallet, byte for byte as the library would sign it"
  )
  func payment() throws {
    let browser = try browser()
    try browser.wait(for: "document.getElementById('supply').textContent === '3\\u202f000\\u202f000'")
    try browser.wait(for: "document.getElementById('balance').textContent === '1\\u202f000\\u202f000'")
    let expected = server.ledger.payment(to: key(1), 250, memo: "für Bohr 🐦")
    try pay(browser, "Bohr", "250", "für Bohr 🐦")
    try browser.wait(for: "document.querySelector('#payments .final') !== null")
    try browser.wait(for: "document.getElementById('balance').textContent === '999\\u202f750'")
    try browser.wait(for: "document.querySelectorAll('#entries tr').length === 1")
    let known = try server.get("/api/v1/transfers/\(expected.transfer.number)").json
    #expect(known["transfer"] == .string(hexadecimal(expected.encoded)))
    // What others pay shows without anybody asking.
    try submit(server.ledger.payment(from: 2, to: key(0), 1_000, memo: "from Curie"))
    try browser.wait(for: "document.querySelector('#entries .in .amount')?.textContent === '+1\\u202f000'")
    try browser.wait(for: "document.getElementById('balance').textContent === '1\\u202f000\\u202f750'")
    try check(browser)
  }

  @Test("What a stranger wrote is shown as text, whatever it says")
  func strangersText() throws {
    let memo = "<img src=x onerror=alert(1)><script>document.title='caught'</script>\u{202E}http://a.example"
    try submit(server.ledger.payment(to: key(1), 1, memo: memo))
    let browser = try browser()
    try browser.wait(for: "document.querySelectorAll('#entries tr').length === 1")
    let shown = try browser.evaluate("document.querySelector('#entries .memo').textContent")
    #expect(shown == .string(memo))
    #expect(
      try browser.evaluate("document.querySelectorAll('#entries img, #entries script').length") == .whole(0))
    #expect(try browser.evaluate("document.title") == .string("Starling ledger"))
    try check(browser)
    // Even a script that got in could send nothing elsewhere.
    let sent = try browser.evaluate("fetch('http://127.0.0.2:9/').then(() => 'sent', () => 'blocked')")
    #expect(sent == .string("blocked"))
    #expect(browser.complaints.contains { $0.contains("connect-src") })
  }

  @Test("What cannot be paid is said, and nothing is handed in")
  func refusals() throws {
    let browser = try browser()
    for (to, amount, memo, words) in [
      ("Nobody", "1", "", "64 digits"), ("Bohr", "0", "", "1 or more"),
      ("Bohr", "18446744073709551616", "", "whole number"),
      ("Bohr", "1000001", "", "pay less"), ("Bohr", "1", String(repeating: "ü", count: 129), "256 bytes"),
    ] {
      _ = try browser.evaluate("document.getElementById('payments').replaceChildren(); true")
      // The form's own rules would stop the person before.
      _ = try browser.evaluate("document.getElementById('pay-form').noValidate = true")
      try pay(browser, to, amount, memo)
      try browser.wait(for: "document.querySelector('#payments .refused') !== null")
      let shown = try browser.evaluate("document.getElementById('payments').textContent").text ?? ""
      #expect(shown.contains(words), "\(shown)")
    }
    #expect(try server.get("/api/v1/ledger").json["transfers"] == .whole(0))
    // What others refuse later is said too.
    server.ledger.hold(true)
    try pay(browser, "Bohr", "5", "")
    try browser.wait(
      for: "document.getElementById('next').textContent.includes('1\\u00a0transfer under way')"
        + " || document.getElementById('payments').textContent.includes('under way')")
    server.ledger.abandon()
    try browser.wait(
      for: "document.getElementById('payments').textContent.includes('ask for the account and sign anew')")
    try check(browser)
  }

  @Test("A node that gives no keys away shows whom it is asked to show, and no form to pay")
  func withoutWallet() throws {
    let real = try LedgerTestServer(isDemo: false)
    let transfer = real.ledger.payment(to: stranger, 5, memo: "hello")
    let body = "{\"transfer\":\"\(hexadecimal(transfer.encoded))\"}"
    #expect(try real.post("/api/v1/transfers", body).status == 200)
    let browser = try Chromium(width: 390, height: 900, isDark: false)
    try browser.open("http://\(real.local)/#\(stranger)")
    try browser.wait(for: "document.querySelectorAll('#entries tr').length === 1")
    #expect(try browser.evaluate("document.getElementById('pay').hidden") == .bool(true))
    #expect(try browser.evaluate("document.getElementById('balance').textContent") == .string("5"))
    // What is no key follows nobody.
    _ = try browser.evaluate(
      "document.getElementById('key').value = 'Ada'; document.getElementById('follow-form').requestSubmit(); true"
    )
    try browser.wait(for: "document.getElementById('alert').textContent.includes('64 digits')")
  }

  @Test("History goes back in pages, and a stream that broke is taken up again")
  func history() throws {
    for amount in 1...120 { try submit(server.ledger.payment(to: stranger, UInt64(amount))) }
    let browser = try browser()
    try browser.wait(for: "document.querySelectorAll('#entries tr').length === 50")
    for count in [100, 120] {
      _ = try browser.evaluate("document.getElementById('earlier').click(); true")
      try browser.wait(for: "document.querySelectorAll('#entries tr').length === \(count)")
    }
    #expect(try browser.evaluate("document.getElementById('earlier').hidden") == .bool(true))
    _ = try browser.evaluate("followed.stream.close(); followed.listen(); true")
    try submit(server.ledger.payment(to: stranger, 7))
    try browser.wait(for: "document.querySelector('#entries td.amount')?.textContent === '−7'")
    try check(browser)
  }

  @Test(
    "Nothing sticks out at the width of a telephone or of a desk, by day and by night",
    arguments: [(390, false), (390, true), (1_280, false), (1_280, true)])
  func widths(width: Int, isDark: Bool) throws {
    for number in 0..<6 {
      try submit(
        server.ledger.payment(
          from: number % 2, to: key((number + 1) % 2), UInt64(1_000 * number + 1),
          memo: number == 3 ? String(repeating: "long memo without end ", count: 11) : "for number \(number)")
      )
    }
    let browser = try browser(width: width, height: 900, isDark: isDark)
    try browser.wait(for: "document.querySelectorAll('#entries tr').length === 6")
    try pay(browser, "Bohr", "12", "lunch")
    try browser.wait(for: "document.querySelector('#payments .final') !== null")
    try browser.wait(for: "document.querySelectorAll('#entries tr').length === 7")
    #expect(try browser.evaluate("document.documentElement.scrollWidth") == .whole(UInt64(width)))
    let small = try browser.evaluate(
      "[...document.querySelectorAll('button:not(.quiet),input,select')].filter(e => e.offsetHeight < 44).length"
    )
    #expect(small == .whole(0))
    if let folder = getenv("STARLING_PICTURES").map({ String(cString: $0) }) {
      let name = "/ledger-\(width)-\(isDark ? "dark" : "light").png"
      try browser.picture().write(to: URL(filePath: folder + name))
    }
    try check(browser)
  }
}
