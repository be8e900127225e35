import Glibc

/// The `starling` command: picks the verb, runs it, and turns an error into a sentence and an exit code.
enum StarlingCommand {
  /// The version that `starling version` prints; the changelog has the same.
  static let version = "0.1.0"

  /// Everything the command can do, in the order of its help.
  static let verbs: [Verb] = [
    .keysNew, .keysShow, .node, .publish, .post, .watch, .up, .simulate, .simulateAttack, .simulateLedger,
    .genesisNew, .walletNew, .walletList, .walletShow, .pay, .balance, .history, .transfer, .certificate,
    .ledgerAudit,
    .load,
    .epsilon, .picture,
    .version,
  ]

  /// Runs the command.
  ///
  /// - Parameter words: the command line without the program's name.
  /// - Returns: the exit code.
  static func run(_ words: [String]) -> Int32 {
    // A reader that went away, as in `starling help | head -1`, is an error to report and not a signal.
    signal(SIGPIPE, SIG_IGN)
    // Whoever started this process may have blocked the signals that stop it, and a block is inherited.
    var stopping = sigset_t()
    sigemptyset(&stopping)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&stopping, number) }
    sigprocmask(SIG_UNBLOCK, &stopping, nil)
    do {
      switch try ArgumentParser.parse(words, verbs: verbs, environment: environment()) {
      case .help(let chosen): try Output.standard.write(line: Help.text(on: chosen, among: verbs))
      case .run(let verb, let arguments): try verb.run(arguments)
      }
      return 0
    } catch {
      Messages.write(line: "starling: " + printable(error.sentence))
      return error.exitCode
    }
  }

  private static func environment() -> [String: String] {
    var variables: [String: String] = [:]
    for option in Set(verbs.flatMap(\.options).filter(\.readsEnvironment).map(\.variable)) {
      if let value = getenv(option) { variables[option] = String(cString: value) }
    }
    return variables
  }
}
