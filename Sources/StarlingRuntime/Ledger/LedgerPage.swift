import FoundationEssentials
import StarlingCore

/// The page that the ledger's part of the control interface serves to people: one document that asks nobody but the node.
enum LedgerPage {
  /// The page as it is sent.
  static let response: HTTPResponse = {
    var response = HTTPResponse(contentType: "text/html; charset=utf-8", body: Array(document.utf8))
    response.headers = [
      ("Content-Security-Policy", policy), ("Referrer-Policy", "no-referrer"),
      ("Cross-Origin-Opener-Policy", "same-origin"), ("X-Frame-Options", "DENY"),
    ]
    return response
  }()

  /// Nothing but the page's own style and script, by their hashes, and requests to the node: whatever a memo holds, no other
  /// script runs and nothing is sent elsewhere (CSP Level 3).
  private static let policy = [
    "default-src 'none'", "style-src '\(hash(style))'", "script-src '\(hash(script))'", "connect-src 'self'",
    "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    "require-trusted-types-for 'script'", "trusted-types 'none'",
  ].joined(separator: "; ")

  private static func hash(_ text: String) -> String {
    "sha256-" + Data(SHA256.hash(Array(text.utf8)).bytes).base64EncodedString()
  }

  private static let document = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width,initial-scale=1">
    <title>Starling ledger</title>
    <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath \
    d='M1 6c3 0 5 1 7 4 2-3 4-4 7-4-3 1-5 3-7 7-2-4-4-6-7-7z' fill='%23ad4a12'/%3E%3C/svg%3E">
    <style>\(style)</style>
    </head>
    \(content)
    <script>\(script)</script>
    </body>
    </html>

    """

  private static let content = """
    <body>
    <header><div class="page">
    <p class="brand">Starling</p>
    <h1>Ledger <bdi id="network"></bdi></h1>
    <p class="subtitle">Accounts and payments as this node has applied them. Nobody orders them all; \
    what is final here is final everywhere.</p>
    </div></header>
    <main class="page">
    <noscript><p class="alert">This page needs JavaScript to ask the node. The same is at /api/v1/ledger for programs.</p></noscript>
    <p class="alert" id="alert" role="alert" hidden></p>
    <dl class="summary">
    <div><dt>supply</dt><dd><b id="supply">–</b><small id="total">&nbsp;</small></dd></div>
    <div><dt>accounts</dt><dd><b id="accounts">–</b><small>ever credited</small></dd></div>
    <div><dt>transfers</dt><dd><b id="transfers">–</b><small id="waiting">&nbsp;</small></dd></div>
    <div><dt>members</dt><dd><b id="members">–</b><small id="byzantine">&nbsp;</small></dd></div>
    </dl>
    <details class="card">
    <summary>Hashes and members</summary>
    <dl class="keys">
    <dt>state, equal at nodes that were delivered the same</dt><dd><code id="state">–</code></dd>
    <dt>ledger, its genesis’ hash (<a href="/api/v1/ledger/genesis">the genesis file</a>)</dt>\
    <dd><code id="ledger">–</code></dd>
    <dt>members</dt><dd><ul id="member-list"></ul></dd>
    </dl>
    </details>
    <div class="columns">
    <section id="pay" hidden aria-labelledby="pay-title">
    <h2 id="pay-title">Pay</h2>
    <p class="lead">From a demonstration wallet: everybody who can ask this node has these keys.</p>
    <form class="card" id="pay-form" autocomplete="off">
    <label>From <select id="from"></select></label>
    <label>To <input id="to" list="names" required maxlength="80" spellcheck="false" \
    placeholder="a name, or a key of 64 digits"></label>
    <datalist id="names"></datalist>
    <label>Amount <input id="amount" required inputmode="numeric" maxlength="20" pattern="[0-9]+" \
    placeholder="whole, in the smallest unit"></label>
    <label>Memo <input id="memo" maxlength="256" placeholder="for everybody to read"></label>
    <button id="pay-button">Sign and pay</button>
    </form>
    <ol class="payments" id="payments" aria-live="polite"></ol>
    </section>
    <section aria-labelledby="follow-title">
    <h2 id="follow-title">Follow an account</h2>
    <p class="lead">What it holds and what happens to it, while it happens.</p>
    <form class="row" id="follow-form" autocomplete="off">
    <input id="key" aria-label="The account’s key" required maxlength="64" spellcheck="false" \
    placeholder="its key, 64 digits of 0–9 and a–f">
    <button>Follow</button>
    </form>
    <p class="chips" id="chips"></p>
    <div class="card" id="account" hidden>
    <p class="who"><bdi id="name"></bdi><span id="live" class="live" role="status"></span></p>
    <p class="holds" id="balance">–</p>
    <p class="soft" id="next">&nbsp;</p>
    <code id="account-key"></code>
    <table id="history">
    <thead><tr><th scope="col">№</th><th scope="col">with</th><th scope="col" class="memo">memo</th>\
    <th scope="col">amount</th><th scope="col">balance</th><th scope="col">proof</th></tr></thead>
    <tbody id="entries"></tbody>
    </table>
    <p class="soft" id="empty" hidden>Nothing has happened to it since the ledger began.</p>
    <button id="earlier" type="button" class="quiet" hidden>Earlier</button>
    </div>
    </section>
    </div>
    </main>
    <footer class="page">For programs: <a href="/api/v1/openapi.json">the interface’s description</a>.</footer>
    """
}
