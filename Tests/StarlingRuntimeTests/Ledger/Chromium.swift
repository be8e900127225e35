import CStarlingShims
import FoundationEssentials
import Glibc
import Testing

@testable import StarlingRuntime

/// A browser without a window, spoken to over a pair of pipes in the Chrome DevTools Protocol: objects of JSON with a NUL
/// after each.
final class Chromium {
  /// Where the browser is, if it is installed.
  static let path: String? = {
    let places: [String] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    return places.first { access($0, X_OK) == 0 }
  }()

  /// How long an answer may take, in milliseconds: a busy machine starts a browser in seconds.
  private static let patience: Int32 = 60_000

  private let process: pid_t
  /// The ends of the pipes on this side.
  private let commands: Int32
  private let events: Int32
  private let folder: TemporaryDirectory
  private var received: [UInt8] = []
  private var lastCommand: UInt64 = 0
  private var session: String?
  /// The addresses of all that pages have asked for.
  private(set) var requests: [String] = []
  /// What pages have complained of: errors of scripts, and what their policy has blocked.
  private(set) var complaints: [String] = []

  /// Starts a browser with one empty page of that size.
  init(width: Int, height: Int, isDark: Bool) throws {
    let program = try #require(Chromium.path)
    folder = try TemporaryDirectory()
    let toBrowser = try Chromium.pipe()
    let fromBrowser = try Chromium.pipe()
    (commands, events) = (toBrowser[1], fromBrowser[0])
    defer {
      close(toBrowser[0])
      close(fromBrowser[1])
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, toBrowser[0], 3)
    posix_spawn_file_actions_adddup2(&actions, fromBrowser[1], 4)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    let arguments = [
      program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
      "--disable-background-networking", "--remote-debugging-pipe", "--hide-scrollbars",
      "--user-data-dir=" + folder.path, "about:blank",
    ]
    var words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var identifier = pid_t()
    let code = posix_spawn(&identifier, program, &actions, nil, &words, environ)
    try #require(code == 0, "the browser could not be started")
    process = identifier
    let target = try command("Target.createTarget", "{\"url\":\"about:blank\"}")["targetId"].text ?? ""
    session = try command("Target.attachToTarget", "{\"targetId\":\"\(target)\",\"flatten\":true}")[
      "sessionId"
    ].text
    for domain in ["Page", "Runtime", "Network", "Log"] { _ = try command(domain + ".enable") }
    _ = try command(
      "Emulation.setDeviceMetricsOverride",
      "{\"width\":\(width),\"height\":\(height),\"deviceScaleFactor\":1,\"mobile\":false}")
    let scheme = isDark ? "dark" : "light"
    _ = try command(
      "Emulation.setEmulatedMedia",
      "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"\(scheme)\"}]}")
  }

  deinit {
    close(commands)
    close(events)
    kill(process, SIGKILL)
    var status: Int32 = 0
    waitpid(process, &status, 0)
  }

  /// Opens a page.
  func open(_ address: String) throws { _ = try command("Page.navigate", "{\"url\":\"\(address)\"}") }

  /// What a script's expression comes to; a promise is waited for.
  func evaluate(_ script: String) throws -> JSONTree {
    let text = String(decoding: try ControlCoding.encode(script), as: UTF8.self)
    let answer = try command(
      "Runtime.evaluate", "{\"expression\":\(text),\"awaitPromise\":true,\"returnByValue\":true}")
    if answer["exceptionDetails"] != .null { Issue.record("\(script): \(answer["exceptionDetails"])") }
    return answer["result"]["value"]
  }

  /// Waits until a script's expression is true.
  func wait(for condition: String) throws {
    let isThere = try evaluate(
      """
      new Promise(done => {
        const end = Date.now() + \(Chromium.patience - 5_000);
        const look = () => (\(condition)) ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 20);
        look();
      })
      """)
    #expect(isThere == .bool(true), "\(condition)")
    if isThere != .bool(true) { print(try evaluate("document.body.innerText").text ?? "") }
  }

  /// A picture of the whole page as PNG.
  func picture() throws -> Data {
    let text = try command("Page.captureScreenshot", "{\"captureBeyondViewport\":true}")["data"].text ?? ""
    return try #require(Data(base64Encoded: text))
  }

  private func command(_ method: String, _ parameters: String = "{}") throws -> JSONTree {
    lastCommand += 1
    let session = session.map { ",\"sessionId\":\"\($0)\"" } ?? ""
    let message = "{\"id\":\(lastCommand),\"method\":\"\(method)\",\"params\":\(parameters)\(session)}"
    var rest = (Array(message.utf8) + [0])[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(commands, $0.baseAddress, $0.count) }
      try #require(count > 0, "the browser is gone")
      rest = rest.dropFirst(count)
    }
    while true {
      let answer = try nextMessage()
      if answer["id"] == .whole(lastCommand) {
        if answer["error"] != .null { Issue.record("\(method): \(answer["error"])") }
        return answer["result"]
      }
      note(answer)
    }
  }

  private func note(_ event: JSONTree) {
    let parameters = event["params"]
    switch event["method"].text {
    case "Network.requestWillBeSent": requests.append(parameters["request"]["url"].text ?? "")
    case "Network.webSocketCreated": requests.append(parameters["url"].text ?? "")
    case "Runtime.exceptionThrown": complaints.append("\(parameters["exceptionDetails"])")
    case "Log.entryAdded": complaints.append(parameters["entry"]["text"].text ?? "")
    default: break
    }
  }

  private func nextMessage() throws -> JSONTree {
    while true {
      if let end = received.firstIndex(of: 0) {
        defer { received.removeFirst(end + 1) }
        return try JSONTree(parsing: Array(received[..<end]))
      }
      var entry = pollfd(fd: events, events: Int16(POLLIN), revents: 0)
      try #require(poll(&entry, 1, Chromium.patience) > 0, "the browser does not answer")
      var buffer = [UInt8](repeating: 0, count: 64 << 10)
      let count = read(events, &buffer, buffer.count)
      try #require(count > 0, "the browser is gone")
      received += buffer[..<count]
    }
  }

  /// The ends of a pipe, for reading and for writing, beyond the numbers that the browser expects.
  private static func pipe() throws -> [Int32] {
    var ends: [Int32] = [0, 0]
    try #require(Glibc.pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    return ends.map { starling_fcntl($0, F_DUPFD_CLOEXEC, 10) }
  }
}
