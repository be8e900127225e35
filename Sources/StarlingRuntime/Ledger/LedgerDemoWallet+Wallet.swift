import StarlingCore

extension LedgerDemoWallet {
  /// All accounts of a wallet, with their secrets.
  ///
  /// - Throws: ``HostError`` when there is no such wallet, or a key cannot be read.
  init(ofWalletAt path: String) throws(HostError) {
    let wallet = try Wallet(at: path)
    var keys: [LedgerDemoKey] = []
    for account in try wallet.accounts() {
      let identity = try wallet.owner(of: account.name)
      keys.append(
        LedgerDemoKey(
          name: account.name, account: account.key.description, seed: hexadecimal(identity.exportSeed())))
    }
    self.init(keys: keys)
  }
}
