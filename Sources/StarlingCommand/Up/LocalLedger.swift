import StarlingCore
import StarlingLedger
import StarlingRuntime

/// A ledger for demonstration: a wallet with some accounts that have money from the beginning.
struct LocalLedger {
  /// The accounts' names.
  static let names = ["alice", "bob", "carol", "dave"]
  /// What each has.
  static let balance: UInt64 = 1_000_000

  /// The file by which the ledger begins.
  let genesis: String
  /// The wallet's directory.
  let wallet: String

  /// Makes both.
  init(of membership: LocalMembership, byzantine: Int, in folder: String) throws(CommandError) {
    (genesis, wallet) = ("\(folder)/genesis", "\(folder)/wallet")
    let (path, members) = (wallet, membership.members)
    let text = try explaining {
      let wallet = try Wallet(at: path, making: true)
      var balances: [PublicKey: UInt64] = [:]
      for name in LocalLedger.names { balances[try wallet.addAccount(name)] = LocalLedger.balance }
      return try Genesis(
        network: "demonstration", members: members.map(\.key), byzantine: byzantine, balances: balances
      ).text
    }
    try Output(path: genesis).write(Array(text.utf8))
  }
}
