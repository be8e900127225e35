/// What the sources must not contain, as data.
enum Rules {
  /// For each module, what it may import: the arrows of Package.swift and the systems it may see.
  static let imports: [String: Set<String>] = [
    "StarlingCore": ["CSodium"],
    "StarlingTransport": ["StarlingCore", "CSodium"],
    "StarlingOverlay": ["StarlingCore"],
    "StarlingBroadcast": ["StarlingCore"],
    "StarlingLedger": ["StarlingCore"],
    // The one place below the runtime with threads and atomics: chapter 2 of the thesis is about them.
    "StarlingSharedMemory": ["StarlingCore", "StarlingLedger", "Synchronization", "Glibc", "Darwin"],
    "StarlingApps": ["StarlingCore"],
    "StarlingNode": [
      "StarlingCore", "StarlingTransport", "StarlingOverlay", "StarlingBroadcast", "StarlingApps",
      "StarlingLedger",
    ],
    "StarlingSimulator": [
      "StarlingCore", "StarlingOverlay", "StarlingBroadcast", "StarlingLedger", "StarlingNode", "CPrefetch",
    ],
    "StarlingRuntime": [
      "StarlingCore", "StarlingTransport", "StarlingOverlay", "StarlingLedger", "StarlingApps",
      "StarlingNode",
      "StarlingSimulator",
      "CMicrohttpd", "CSQLite", "CStarlingShims", "Glibc", "FoundationEssentials", "Foundation", "Dispatch",
      "Synchronization",
    ],
    "StarlingCommand": [
      "StarlingCore", "StarlingOverlay", "StarlingBroadcast", "StarlingApps", "StarlingNode",
      "StarlingSimulator",
      "StarlingRuntime", "Glibc",
      "FoundationEssentials", "Synchronization",
    ],
  ]

  /// The modules in which protocols live: their inputs are all they see of the world.
  static let pureModules: Set<String> = [
    "StarlingCore", "StarlingTransport", "StarlingOverlay", "StarlingBroadcast", "StarlingLedger",
    "StarlingSharedMemory", "StarlingApps", "StarlingNode", "StarlingSimulator",
  ]

  /// A reason, and what code must not contain for it.
  struct Ban {
    let reason: String
    let tokens: [String]
  }

  /// Banned in pure modules.
  static let bansInPureModules = [
    Ban(
      reason: "time is handed in",
      tokens: [
        "ContinuousClock", "SuspendingClock", "Date(", "Date.now", "DispatchTime", "clock_gettime",
        "gettimeofday", "Task.sleep",
      ]),
    Ban(
      reason: "randomness is handed in",
      tokens: [
        "SystemRandomNumberGenerator", ".random(in:", ".random()", ".shuffled()", ".shuffle()",
        ".randomElement()", "arc4random", "getrandom", "randombytes", "crypto_sign_keypair(",
        "crypto_box_keypair(", "crypto_kx_keypair(",
      ]),
    Ban(
      reason: "Swift seeds its hashes anew in each process",
      tokens: [".hashValue", "Hasher()"]),
    Ban(reason: "drivers print", tokens: ["print(", "debugPrint(", "dump("]),
  ]

  /// Banned in all sources.
  static let bansEverywhere = [
    Ban(reason: "nothing from outside may trap", tokens: ["try!", "as!", "fatalError("])
  ]

  /// Folders of one machine, which no text of the repository may name. Put together here, so that this file
  /// passes too.
  static let machinePaths = ["work", "root", "home"].map { "/" + $0 + "/" }

  /// The longest file, in lines.
  static let linesLimit = 600

  /// The offences of one source file against the rules on imports and code.
  static func offences(in file: Repository.File) -> [String] {
    let code = SwiftCode(file.text)
    var offences: [String] = []
    let allowed = imports[file.module]
    if allowed == nil { offences.append("\(file.path): the module \(file.module) is not in the table") }
    for (line, module) in code.imports where allowed?.contains(module) == false && module != file.module {
      offences.append("\(file.path):\(line): \(file.module) must not import \(module)")
    }
    let bans = bansEverywhere + (pureModules.contains(file.module) ? bansInPureModules : [])
    for ban in bans {
      for token in ban.tokens {
        offences += code.lines(containing: token).map {
          "\(file.path):\($0): \(token) is banned, for \(ban.reason)"
        }
      }
    }
    return offences
  }

  /// The offences of any text file: paths of one machine.
  static func machinePaths(in file: Repository.File) -> [String] {
    let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.enumerated().flatMap { index, line in
      machinePaths.filter { line.contains($0) }.map { "\(file.path):\(index + 1): names \($0)" }
    }
  }

  /// The offence of a file that is too long.
  static func length(of file: Repository.File) -> [String] {
    let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
    return lines > linesLimit ? ["\(file.path): \(lines) lines, where \(linesLimit) are allowed"] : []
  }
}
