/// A path of the ledger's part of the control interface.
enum LedgerPath: Hashable, Sendable {
  /// The page for people.
  case page
  /// What the interface offers, for programs.
  case description
  /// The ledger.
  case ledger
  /// Its genesis file.
  case genesis
  /// An account, by its key.
  case account(String)
  /// What happened to an account.
  case history(String)
  /// What happens to an account.
  case events(String)
  /// Where transfers are handed in.
  case transfers
  /// A transfer, by its identifier.
  case transfer(String)
  /// The node's own word that a transfer is final.
  case confirmation(String)
  /// The word of enough members.
  case certificate(String)
  /// Keys for demonstration.
  case demoWallet

  /// The path that a request names; `nil` when the ledger has no such.
  init?(_ path: String) {
    if path == "/" {
      self = .page
      return
    }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 4, parts[0].isEmpty, parts[1] == "api", parts[2] == "v1" else { return nil }
    let name = parts.count > 4 ? parts[4] : ""
    switch (parts[3], parts.count, parts.last) {
    case ("openapi.json", 4, _): self = .description
    case ("ledger", 4, _): self = .ledger
    case ("ledger", 5, "genesis"): self = .genesis
    case ("accounts", 5, _): self = .account(name)
    case ("accounts", 6, "history"): self = .history(name)
    case ("accounts", 6, "events"): self = .events(name)
    case ("transfers", 4, _): self = .transfers
    case ("transfers", 5, _): self = .transfer(name)
    case ("transfers", 6, "confirmation"): self = .confirmation(name)
    case ("transfers", 6, "certificate"): self = .certificate(name)
    case ("demo", 5, "wallet"): self = .demoWallet
    default: return nil
    }
  }

  /// The method that it takes.
  var method: String { self == .transfers ? "POST" : "GET" }

  /// The arguments that its query may have.
  var arguments: Set<String> {
    switch self {
    case .history: ["before", "limit"]
    case .transfers: ["wait"]
    default: []
    }
  }
}
