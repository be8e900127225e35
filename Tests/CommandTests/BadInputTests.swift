import Foundation
import Testing

/// A command line that cannot work, and how it must fail.
struct BadInput: CustomTestStringConvertible {
  /// What follows `starling`; `@name` stands for a path that ``Fixtures`` prepared.
  let line: String
  let exitCode: Int32
  /// What the sentence must contain: what was wrong, or what to do.
  let fragment: String

  init(_ line: String, _ exitCode: Int32, _ fragment: String) {
    self.line = line
    self.exitCode = exitCode
    self.fragment = fragment
  }

  var testDescription: String { line.isEmpty ? "(nothing)" : line }
}

/// Files and ports that are wrong in their own ways.
final class Fixtures {
  private let folder: TemporaryFolder
  private let socket: BoundSocket
  let paths: [String: String]

  init() throws {
    folder = try TemporaryFolder()
    socket = try BoundSocket()
    let seed = String(repeating: "ab", count: 32)
    let good = try folder.write("good.key", "")
    try FileManager.default.removeItem(atPath: good)
    _ = try CommandRun(["keys", "new", "--out", good])
    let open = folder.path("open.key")
    try FileManager.default.copyItem(atPath: good, toPath: open)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: open)
    let (data, shared, own) = (folder.path("data"), folder.path("shared"), folder.path("private"))
    for directory in [data, shared, own] {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    }
    try FileManager.default.createSymbolicLink(
      atPath: data + "/identity.key", withDestinationPath: data + "/nowhere")
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: shared)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: own)
    let big = try folder.write("big", "")
    try FileHandle(forWritingTo: URL(filePath: big)).truncate(atOffset: 88_473_601)
    paths = [
      "dir": folder.url.path,
      "missing": folder.path("missing"),
      "file": try folder.write("file", "starlings"),
      "key": good,
      "open": open,
      "garbage": try folder.write("garbage.key", "not a key \(seed)", mode: 0o600),
      "empty": try folder.write("empty.key", "", mode: 0o600),
      "config": try folder.write("config.json5", "{ listen: "),
      "unknown": try folder.write("unknown.json5", "{ lisen: '127.0.0.1:0' }"),
      "range": try folder.write("range.json5", "{ loss: 7 }"),
      "flag": try folder.write("flag.json5", "{ listen: true }"),
      "weak": try folder.write("weak.json5", "{ 'accept-weak': 'yes' }"),
      "flags": try folder.write("flags.json5", "{ 'accept-weak': true }"),
      "matrix": try folder.write("matrix", "1 2 3"),
      "keylist": try folder.write("keylist", "# friends\n\n\(seed)\nab cd\n"),
      "strangers": try folder.write("strangers", seed),
      "big": big, "data": data, "shared": shared, "private": own, "id": String(repeating: "ab", count: 32),
      "list": try folder.write("list", String(repeating: "cd", count: 32) + " 127.0.0.1:4400"),
      // A file that can be opened and not read, whoever asks: its first page is not mapped.
      "unreadable": "/proc/self/mem",
      "nobody": "127.0.0.1:\(try BoundSocket.freePort())",
      "taken": "127.0.0.1:\(socket.port)",
    ]
  }

  func words(_ line: String) -> [String] {
    line.split(separator: " ").map { word in
      let parts = word.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { return String(word) }
      let name = parts[1].prefix(while: \.isLetter)
      guard let path = paths[String(name)] else { return String(word) }
      return parts[0] + path + parts[1].dropFirst(name.count)
    }
  }
}

@Suite("Bad input gets one sentence and its exit code")
struct BadInputTests {
  static let usage = [
    BadInput("", 2, "starling help"),
    BadInput("pulbish x", 2, "did you mean `starling publish`?"),
    BadInput("murmur", 2, "starling help"),
    BadInput("attac", 2, "did you mean `starling simulate attack`?"),
    BadInput("simulate attac", 2, "did you mean `starling simulate attack`?"),
    BadInput("keys", 2, "`starling keys new` or `starling keys show`"),
    BadInput("keys nwe", 2, "keys"),
    BadInput("help nothing", 2, "nothing"),
    BadInput("up --nodse 3", 2, "did you mean --nodes?"),
    BadInput("up -x", 2, "-x"),
    BadInput("up extra", 2, "extra"),
    BadInput("up --nodes", 2, "--nodes needs a value"),
    BadInput("up --nodes --json", 2, "--nodes needs a value"),
    BadInput("up --json=yes", 2, "takes no value"),
    BadInput("up --nodes 3 --nodes 4", 2, "twice"),
    BadInput("up --nodes -5", 2, "whole number from"),
    BadInput("up --nodes 0", 2, "whole number from"),
    BadInput("up --nodes 2.5", 2, "whole number from"),
    BadInput("up --nodes 1000000", 2, "whole number from"),
    BadInput("up --nodes 99999999999999999999999999", 2, "whole number from"),
    BadInput("up --loss 101%", 2, "out of range"),
    BadInput("up --loss -1%", 2, "share"),
    BadInput("up --loss lots", 2, "share"),
    BadInput("up --delay gausian:5ms,1ms", 2, "delay model"),
    BadInput("up --delay gaussian:5ms", 2, "delay model"),
    BadInput("up --delay constant:-5ms", 2, "duration"),
    BadInput("up --delay matrix:@matrix", 2, "square"),
    BadInput("up --once", 2, "--broadcast"),
    BadInput("up --broadcast bracha --once", 2, "or give --posts N."),
    BadInput("up --broadcast bracha --kill 1@1s", 2, "or give --posts N."),
    BadInput("up --nodes 5 --broadcast bracha --posts 1 --kill 2@1s", 2, "only 1 may fail"),
    BadInput(
      "up --nodes 5 --broadcast bracha --posts 1 --kill 3@1s --restart 1@2s", 2, "2 of 5 members would be"),
    BadInput("up --broadcast bracha --broadcast secure --posts 1", 2, "names 2 protocols"),
    BadInput("up --posts 5", 2, "--broadcast secure"),
    BadInput("up --broadcast @file --epsilon 1e-3", 2, "give both or neither"),
    BadInput("up --broadcast bracha --posts 5 --batch 1025", 2, "1 to 1024"),
    BadInput("up --broadcast bracha --byzantine 34% --nodes 4 --posts 1", 2, "fewer than a third"),
    BadInput("up --nodes 9 --guest @file --broadcast @file", 2, "--broadcast secure"),
    BadInput("node --broadcast bracha", 2, "--members FILE"),
    BadInput("node --members @file", 2, "give both or neither"),
    BadInput("node --broadcast bracha --members @file", 2, "needs --data"),
    BadInput("node --broadcast bracha --members @missing --data @dir", 1, "could not be read"),
    BadInput("node --broadcast bracha --members @file --data @dir", 1, "Line 1 is no member"),
    BadInput("node --broadcast lies", 2, "lies"),
    BadInput("node --accept-weak", 2, "give both or neither"),
    BadInput("post @file", 2, "--control"),
    BadInput("post @missing --control 127.0.0.1:9", 1, "There is no file"),
    BadInput("watch --posts --topic x --control 127.0.0.1:9", 2, "leave it or --posts out"),
    BadInput("up --seed x", 2, "whole number from"),
    BadInput("up --timeout 5", 2, "unit"),
    BadInput("up --kill 3@1s", 2, "--broadcast"),
    BadInput("up --broadcast @file --kill 3", 2, "10@5s"),
    BadInput("up --broadcast @file --kill 0@1s", 2, "10@5s"),
    BadInput("up --broadcast @file --kill 3@1", 2, "unit"),
    BadInput("up --broadcast @file --stop 3@1s", 2, "3@8s..38s"),
    BadInput("up --broadcast @file --stop 3@9s..1s", 2, "before it begins"),
    BadInput("up --broadcast @file --nodes 4 --kill 5@1s", 2, "more with --nodes"),
    BadInput("up --broadcast @file --nodes 4 --kill 2@1s --stop 2@1s..2s", 2, "more with --nodes"),
    BadInput("up --broadcast @file --kill 1@2s --restart 1@1s", 2, "--kill"),
    BadInput("up --broadcast @file --interval 5", 2, "unit"),
    BadInput("epsilon", 2, "--nodes N"),
    BadInput("epsilon --nodes 100", 2, "--target"),
    BadInput("epsilon --nodes 1 --gossip 5", 2, "2 to 1000000"),
    BadInput("epsilon --nodes 100 --target 0", 2, "1e-16"),
    BadInput("epsilon --nodes 100 --byzantine 100% --gossip 5", 2, "below 1"),
    BadInput("epsilon --nodes 100 --echo 50", 2, "go together"),
    BadInput("epsilon --nodes 100 --echo 50 --echo-threshold 51", 2, "may be as great"),
    BadInput("epsilon --nodes 1024 --byzantine 33.4% --target 1e-10", 2, "33.4% of 1024 processes is 343"),
    BadInput("epsilon --nodes 48 --byzantine 60% --target 1e-3", 2, "31% or less."),
    BadInput("epsilon --nodes 3 --target 1e-10", 2, "10% of 3 processes is 1, rounded up, which is a third"),
    BadInput("simulate --broadcast secure --byzantine 40%", 2, "a third or more"),
    BadInput("simulate --broadcast auto --byzantine 40%", 2, "a third or more"),
    BadInput("simulate --broadcast bracha --nodes 1000000", 1, "24000.0 GB of memory, and the machine has"),
    BadInput("simulate --broadcast secure --adversary mute", 2, "--adversary needs liars"),
    BadInput("simulate --broadcast bracha --adversary spam --byzantine 0", 2, "--adversary needs liars"),
    BadInput("simulate --byzantine 0 --adversary spam", 2, "add --byzantine"),
    BadInput("simulate attack --nodes 64 --adversary equivocate", 2, "--adversary needs liars"),
    BadInput("simulate ledger --adversary double-spend", 2, "--adversary needs liars"),
    BadInput("simulate --broadcast bracha --epsilon 1e-6", 2, "--epsilon is about samples"),
    BadInput("simulate attack --broadcast bracha --gossip 5", 2, "--gossip is about samples"),
    BadInput("simulate ledger --broadcast bracha --delivery 5", 2, "--delivery is about samples"),
    BadInput("up --broadcast bracha --posts 1 --echo-threshold 5", 2, "--echo-threshold is about samples"),
    BadInput("simulate attack --nodes 64 --broadcast bracha --estimate", 2, "has none: leave it out."),
    BadInput("simulate attack --nodes 64 --runs 0", 2, "whole number from"),
    BadInput(
      "simulate attack --nodes 64 --byzantine 10% --adversary spam", 2, "give it to starling simulate."),
    BadInput("simulate --broadcast bracha --spam-rate 5", 2, "goes with --adversary spam"),
    BadInput("simulate --spam-rate 5", 2, "give both or neither."),
    BadInput("simulate --geography world --delay constant:1ms", 2, "leave one of them out."),
    BadInput("simulate --geography mars", 2, "write world or matrix:FILE."),
    BadInput("simulate --geography matrix:/nowhere/rtt.txt", 1, "/nowhere/rtt.txt"),
    BadInput("simulate --chaos --geography world", 2, "exclude each other"),
    BadInput("simulate attack --nodes 64 --adversary censor", 2, "equivocate-poisoned, partial."),
    BadInput("simulate ledger --broadcast consistent", 2, "give secure or bracha."),
    BadInput("simulate ledger --nodes 4 --byzantine 40% --broadcast bracha", 2, "fewer than a third"),
    BadInput("simulate ledger --nodes 4 --byzantine 25% --adversary spam", 2, "double-spend"),
    BadInput("simulate ledger --accounts 1", 2, "whole number from"),
    BadInput("simulate ledger --messages 5", 2, "--messages"),
    BadInput("simulate ledger --order leader --broadcast bracha", 2, "give one of the two."),
    BadInput("simulate ledger --order leader --epsilon 1e-6", 2, "--epsilon is about broadcasts"),
    BadInput("simulate ledger --order leader --tolerate 40%", 2, "fewer than a third"),
    BadInput("simulate ledger --order chief", 2, "none, leader"),
    BadInput("simulate ledger --byzantine 25% --tolerate 0 --broadcast bracha", 2, "give a larger share"),
    BadInput("simulate ledger --bandwidth 5", 2, "1kB or more"),
    BadInput("simulate ledger --check-time 2s", 2, "--check-time"),
    BadInput("simulate --check --partition 50%@10s..10min", 2, "give a longer --drain"),
    BadInput("simulate --nodes -1", 2, "whole number from"),
    BadInput("simulate --nodes 1", 2, "whole number from"),
    BadInput("simulate --nodes 100000000000", 2, "whole number from"),
    BadInput("simulate --messages -1", 2, "whole number from"),
    BadInput("simulate --senders 2000", 2, "--senders"),
    BadInput("simulate --payload -1", 2, "size"),
    BadInput("simulate --payload 1GB", 2, "64KiB"),
    BadInput("simulate --overlay skamp", 2, "did you mean scamp?"),
    BadInput("simulate --scamp-c -1", 2, "whole number from"),
    BadInput(
      "simulate --broadcast carrier-pigeon", 2, "tree, flood, gossip, rings, secure, consistent, bracha, auto"
    ),
    BadInput("simulate --byzantine 10% --adversary equivocate", 2, "add --broadcast secure"),
    BadInput("simulate --fanout 0", 2, "whole number from"),
    BadInput("simulate --prune-threshold 0", 2, "whole number from"),
    BadInput("simulate --delay 50ms", 2, "delay model"),
    BadInput("simulate --loss 1.5", 2, "out of range"),
    BadInput("simulate --interval -1s", 2, "duration"),
    BadInput("simulate --join-rate 0", 2, "out of range"),
    BadInput("simulate --settle 60", 2, "unit"),
    BadInput("simulate --drain forever", 2, "duration"),
    BadInput("simulate --crash 50%", 2, "50%@60s"),
    BadInput("simulate --churn 1%", 2, "1%/min"),
    BadInput("simulate --churn 100%/min --hours 8000 --nodes 10000", 2, "weaker or shorter"),
    BadInput("simulate --hours -1", 2, "0 or more"),
    BadInput("simulate --partition 50%", 2, "20%@10s..60s"),
    BadInput("simulate --partition 50%@60s..10s", 2, "ends before it begins"),
    BadInput("simulate --one-way 50%@60s", 2, "a beginning and an end"),
    BadInput("simulate --slow 10%", 2, "10%:3s"),
    BadInput("simulate --bursts 100%:3s", 2, "below 1"),
    BadInput("simulate --fast-clocks 10%:20%@1s..2s", 2, "stay fast"),
    BadInput("simulate --adversary mutte", 2, "did you mean mute?"),
    BadInput("simulate --adversary spam", 2, "add --byzantine"),
    BadInput("simulate --check --crash 30%@broadcast", 2, "leave one of them out"),
    BadInput("simulate --byzantine 100%", 2, "correct peers"),
    BadInput("simulate --crash 30%@broadcast --churn 1%/min", 2, "give it alone"),
    BadInput("simulate --runs 3", 2, "--chaos"),
    BadInput("simulate --chaos --loss 5%", 2, "exclude each other"),
    BadInput("simulate --chaos --check", 2, "as --check does"),
    BadInput("simulate --chaos --graph x.svg", 2, "writes no graph"),
    BadInput("node --join example.org:4400", 2, "names are not looked up"),
    BadInput("simulate --crash 500%@60s", 2, "out of range"),
    BadInput("simulate --seed -1", 2, "whole number from"),
    BadInput("publish", 2, "FILE"),
    BadInput("publish @file", 2, "--control"),
    BadInput("publish @file --control nowhere", 2, "not an address"),
    BadInput("publish @file --control 127.0.0.1:0", 2, "port 0"),
    BadInput("publish @file --control 127.0.0.1:99999", 2, "not an address"),
    BadInput("watch", 2, "--control"),
    BadInput("watch --control @nobody --count 0", 2, "whole number from"),
    BadInput("keys show", 2, "FILE"),
    BadInput("publish @file --control 127.0.0.1:65536", 2, "ports end at 65535"),
    BadInput("node --listen 127.0.0.1:70000", 2, "ports end at 65535"),
    BadInput("node --listen 127.0.0.1", 2, "not an address"),
    BadInput("node --listen localhost:4000000", 2, "not an address"),
    BadInput("node --join nowhere:1", 2, "not an address"),
    BadInput("node --control ::1", 2, "not an address"),
    BadInput("node --loss 2", 2, "out of range"),
    BadInput("node --delay slow", 2, "delay model"),
    BadInput("node --log-level loud", 2, "error, warning, info, debug"),
    BadInput("node --log-format xml", 2, "logfmt"),
    BadInput("node --connections-per-host 1000", 2, "whole number from"),
    BadInput("node --config @unknown", 2, "did you mean \"listen\"?"),
    BadInput("node --config @range", 2, "out of range"),
    BadInput("node --config @flag", 2, "true and false are for flags."),
    BadInput("node --config @weak", 2, "takes true or false"),
    BadInput("node --config @flags", 2, "--accept-weak goes with"),
  ]

  /// Verbs of the ledger. `@id` is 64 digits.
  static let ledger = [
    BadInput("genesis", 2, "`starling genesis new`"),
    BadInput("genesis new", 2, "--members"),
    BadInput("genesis new --members @file", 2, "--out FILE"),
    BadInput("genesis new --members @list --out @missing", 2, "Nobody has anything"),
    BadInput("genesis new --members @list --out @missing --account @id", 2, "KEY=AMOUNT"),
    BadInput("genesis new --members @list --out @missing --account @id=0", 2, "1 or more"),
    BadInput("genesis new --members @list --out @missing --account @id=-1", 2, "is no amount"),
    BadInput("genesis new --members @list --out @missing --account @id=1.5", 2, "is no amount"),
    BadInput(
      "genesis new --members @list --out @missing --account @id=18446744073709551616", 2,
      "more than there can be"),
    BadInput("genesis new --members @list --out @missing --account x,y=1", 2, "is no account"),
    BadInput(
      "genesis new --members @list --out @missing --account @id=1 --account @id=2", 2, "each account once"),
    BadInput(
      "genesis new --members @list --out @missing --account @id=1 --byzantine 1", 2, "fewer than a third"),
    BadInput("genesis new --members @dir --out @missing --account @id=1", 1, ""),
    BadInput("genesis new --members @file --out @missing --account @id=1", 1, "Line 1 is no member"),
    BadInput("genesis new --members @missing --out @file --account @id=1", 1, "There is no file"),
    BadInput("genesis new --members @list --out @file --account @id=1", 1, "not overwritten"),
    BadInput("wallet", 2, "`starling wallet new`"),
    BadInput("wallet new a/b --dir @missing", 2, "can name no account"),
    BadInput("wallet new .hidden --dir @missing", 2, "can name no account"),
    BadInput("wallet new @id --dir @missing", 2, "can name no account"),
    BadInput("wallet new a b --dir @missing", 2, "does not know what to do"),
    BadInput("wallet new --dir @file", 1, "no directory"),
    BadInput("wallet new --dir @shared", 1, "chmod 700"),
    BadInput("wallet list --dir @missing", 1, "starling wallet new --dir"),
    BadInput("wallet show nobody --dir @private", 1, "has no account \"nobody\""),
    BadInput("wallet show --dir @private", 1, "is empty"),
    BadInput("pay --to @id --amount 1", 2, "--node URL"),
    BadInput("pay --node @nobody", 2, "--to ACCOUNT --amount N"),
    BadInput("pay --node @nobody --to @id", 2, "go together"),
    BadInput("pay --node @nobody --to @id --amount 0", 2, "1 or more"),
    BadInput("pay --node @nobody --to @id --amount 18446744073709551616", 2, "more than there can be"),
    BadInput("pay --node @nobody --to @id --amount 1e3", 2, "is no amount"),
    BadInput(
      "pay --node @nobody --to @id --amount 18446744073709551615 --to @id --amount 1", 2, "add up to more"),
    BadInput("pay --node @nobody --to abc/ --amount 1", 2, "is no account"),
    BadInput("pay --node @nobody --to @id --amount 1 --resend", 2, "--resend pays nobody"),
    BadInput("pay --node @nobody --to @id --amount 1 --dir @missing", 1, "There is no wallet"),
    BadInput("pay --node @nobody --to @id --amount 1 --dir @private --from me", 1, "has no account \"me\""),
    BadInput("pay --node @nobody --to @id --amount 1 --dir @private", 1, "is empty"),
    BadInput("pay --node @nobody --to @id --amount 1 --genesis @missing", 1, "There is no file"),
    BadInput("pay --node @nobody --to @id --amount 1 --genesis @file", 1, "begins with the line"),
    BadInput("pay --node @nobody --node http://@nobody/ --resend", 2, "twice"),
    BadInput("pay --node https://127.0.0.1:1 --resend", 2, "is not served"),
    BadInput("pay --node 127.0.0.1:0 --resend", 2, "port 0"),
    BadInput("pay --node nowhere --resend", 2, "not an address"),
    BadInput("balance @id", 2, "--node URL"),
    BadInput("balance @id --node @nobody", 1, "No node takes orders at @nobody"),
    BadInput("balance not/a/key --node @nobody", 2, "is no account"),
    BadInput("balance --node @nobody --dir @missing", 1, "There is no wallet"),
    BadInput("history @id --node @nobody --limit 0", 2, "whole number from"),
    BadInput("transfer abc --node @nobody", 2, "64 hexadecimal digits"),
    BadInput("transfer --node @nobody", 2, "needs ID"),
    BadInput("certificate --node @nobody", 2, "--verify FILE"),
    BadInput("certificate xyz --node @nobody", 2, "64 hexadecimal digits"),
    BadInput("certificate --verify @file", 2, "--genesis FILE"),
    BadInput("certificate @id --verify @file --genesis @file", 2, "asks nobody"),
    BadInput("certificate --verify @file --genesis @missing", 1, "There is no file"),
    BadInput("ledger audit", 2, "--node URL"),
    BadInput("ledger audit --node @nobody", 1, "No node takes orders"),
    BadInput("load --node @nobody --accounts 1", 2, "whole number from"),
    BadInput("load --node @nobody --rate 0 --dir @private", 2, "whole number from"),
    BadInput("load --node @nobody --dir @missing", 1, "There is no wallet"),
  ]

  static let failures = [
    BadInput("keys show @missing", 1, "missing"),
    BadInput("keys show @dir", 1, ""),
    BadInput("keys show @open", 1, "chmod 600"),
    BadInput("keys show @garbage", 1, ""),
    BadInput("keys show @empty", 1, ""),
    BadInput("keys new --out @key", 1, "exists"),
    BadInput("keys new --out @missing/x", 1, ""),
    BadInput("keys new --puzzle 65", 2, "0 to 64 bits"),
    BadInput("node --admit closed", 2, "keys:FILE"),
    BadInput("node --admit limit:0/min", 2, "contact's limit"),
    BadInput("node --admit keys:@missing", 1, "could not be read"),
    BadInput("node --admit keys:@file", 1, "Line 1 "),
    BadInput("node --identity @key --admit puzzle:64", 1, "keys new --puzzle 64"),
    BadInput(
      "node --admit keys:@keylist", 1, "Line 4 is not a key; a line holds one key of 64 hexadecimal digits"),
    BadInput("node --admit keys:@dir", 1, "directory"),
    BadInput("node --identity @key --admit keys:@strangers", 1, "add it there"),
    BadInput("node --data @data", 1, "leads nowhere"),
    BadInput("node --data @shared", 1, "chmod o-w"),
    BadInput("publish @big --control @nobody", 1, "at most 88473600 can be broadcast: split it"),
    BadInput("up --once --broadcast @big", 1, "split it"),
    BadInput("publish @file --control @taken", 1, "not the one at which it listens for peers"),
    BadInput("publish @missing --control @nobody", 1, "There is no file"),
    BadInput("publish @dir --control @nobody", 1, "is a directory"),
    BadInput("publish @file --control @nobody", 1, "@nobody"),
    BadInput("watch --control @nobody", 1, "@nobody"),
    BadInput("up --once --broadcast @missing", 1, "There is no file"),
    BadInput("up --once --broadcast @dir", 1, "is a directory"),
    BadInput("up --once --broadcast @unreadable", 1, "could not be read"),
    BadInput("up --once --broadcast @file --report @missing/x", 1, "could not be written"),
    BadInput("up --delay matrix:@missing", 1, "There is no file"),
    BadInput("simulate --delay matrix:@dir", 1, "is a directory"),
    BadInput("simulate --out @missing/x", 1, "could not be written"),
    BadInput("version --out @dir", 1, "could not be written"),
    BadInput("node --config @missing", 1, "There is no file"),
    BadInput("node --config @config", 2, "JSON5"),
    BadInput("node --listen 127.0.0.1:0 --identity @open", 1, "chmod 600"),
    BadInput("node --listen 127.0.0.1:0 --identity @garbage", 1, ""),
    BadInput("node --listen 127.0.0.1:0 --data @file", 1, ""),
    BadInput("node --listen @taken", 1, "in use"),
    BadInput("node --listen 192.0.2.1:4000", 1, "192.0.2.1"),
  ]

  @Test(
    "Each mistake is answered with exactly one sentence on standard error",
    arguments: usage + ledger + failures)
  func mistakes(_ input: BadInput) throws {
    let fixtures = try Fixtures()
    let run = try CommandRun(fixtures.words(input.line))
    #expect(run.exitCode == input.exitCode)
    #expect(run.output.isEmpty)
    let lines = run.messages.split(separator: "\n")
    #expect(lines.count == 1, "\(run.messages)")
    let line = String(lines.last ?? "")
    #expect(line.hasPrefix("starling: "))
    let fragment = fixtures.words(input.fragment).joined(separator: " ")
    #expect(fragment.isEmpty || line.contains(fragment), "\(line)")
  }

  @Test("A reader that goes away is an error with exit code 1, not a signal")
  func closedOutput() throws {
    let process = try CommandRun.process(["help"])
    let (output, messages) = (Pipe(), Pipe())
    try output.fileHandleForReading.close()
    process.standardOutput = output
    process.standardError = messages
    try CommandRun.start(process)
    let text = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 1)
    #expect(text.contains("standard output"))
  }

  @Test("A node whose contact does not answer says which, and stops")
  func unreachableContact() throws {
    let port = try BoundSocket.freePort()
    let run = try CommandRun(["node", "--join", "127.0.0.1:\(port)", "--join-timeout", "500ms"])
    #expect(run.exitCode == 1)
    let last = run.messages.split(separator: "\n").last ?? ""
    #expect(last.hasPrefix("starling: ") && last.contains("127.0.0.1:\(port)"))
  }

  @Test("A full disk is an error with exit code 1")
  func fullDisk() throws {
    let run = try CommandRun(["version", "--out", "/dev/full"])
    #expect(run.exitCode == 1)
    #expect(run.messages.contains("/dev/full"))
  }

  @Test("Help is no mistake, for every verb")
  func help() throws {
    for line in ["help", "--help", "help up", "up --help", "keys new --help", "node --nonsense --help"] {
      let run = try CommandRun(line.split(separator: " ").map(String.init))
      #expect(run.exitCode == 0, "\(line)")
      #expect(run.output.contains("starling"), "\(line)")
      #expect(run.messages.isEmpty, "\(line)")
    }
  }
}
