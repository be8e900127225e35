extension LedgerPage {
  /// What the page does. Whatever comes from the node is shown as text; amounts are BigInt, since they have 64 bits.
  static let script = #"""

    "use strict";
    const $ = id => document.getElementById(id);
    const isKey = text => /^[0-9a-f]{64}$/.test(text);
    const isAmount = text => /^(0|[1-9][0-9]{0,19})$/.test(text);
    const greatest = (1n << 64n) - 1n;
    const shownLimit = 500;
    const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

    // What the node says.

    class Refusal extends Error {
      constructor(status, sentence) { super(sentence); this.status = status; }
    }

    async function ask(path, options = {}) {
      let answer, body;
      try {
        answer = await fetch("/api/v1/" + path, { cache: "no-store", credentials: "omit", ...options });
        body = await answer.json();
      } catch {
        throw new Refusal(0, "The node does not answer: is it running?");
      }
      if (!answer.ok) throw new Refusal(answer.status, String(body.error));
      return body;
    }

    // Showing.

    function make(name, text, className) {
      const element = document.createElement(name);
      if (text !== undefined) element.textContent = text;
      if (className) element.className = className;
      return element;
    }

    function alarm(sentence) {
      $("alert").textContent = sentence;
      $("alert").hidden = !sentence;
    }

    const grouped = digits => String(digits).replace(/\B(?=(\d{3})+$)/g, "\u202f");
    const counted = (count, one, many) => grouped(count) + "\u00a0" + (String(count) === "1" ? one : many);
    const names = new Map();
    const named = key => names.get(key) ?? key.slice(0, 16) + "…";

    // The ledger.

    let ledger = null;

    async function refreshLedger() {
      const status = await ask("ledger");
      ledger = status;
      $("network").textContent = status.network;
      $("supply").textContent = grouped(status.supply);
      $("total").textContent = status.total === status.supply
        ? "all of it in accounts" : grouped(status.total) + " in accounts";
      $("accounts").textContent = grouped(status.accounts);
      $("transfers").textContent = grouped(status.transfers);
      $("waiting").textContent = status.waiting > 0
        ? "and " + grouped(status.waiting) + " delivered that wait for others" : "all that were delivered";
      $("members").textContent = grouped(status.members.length);
      $("byzantine").textContent = grouped(status.byzantine) + " of them may lie";
      $("state").textContent = status.state_hash;
      $("ledger").textContent = status.ledger;
      $("member-list").replaceChildren(...status.members.map(key => make("li", key, "key")));
    }

    async function watchLedger() {
      for (;;) {
        if (!document.hidden) {
          try {
            await refreshLedger();
            alarm("");
          } catch (error) {
            alarm(error.message);
          }
        }
        await pause(2000);
      }
    }

    // The account that is followed.

    let followed = null;

    class Follower {
      constructor(key) {
        this.key = key;
        this.entries = new Map();
        this.hasEarlier = false;
        this.isAsking = false;
        $("name").textContent = names.has(key) ? names.get(key) : "Account";
        $("account-key").textContent = key;
        $("balance").textContent = "–";
        $("next").textContent = "\u00a0";
        this.show();
        $("account").hidden = false;
        for (const chip of $("chips").children) chip.setAttribute("aria-pressed", String(chip.value === key));
        this.listen();
      }

      say(text, isOn) {
        if (followed !== null && followed !== this) return;
        $("live").textContent = text;
        $("live").className = isOn ? "live on" : "live";
      }

      listen() {
        this.say("connecting", false);
        this.stream = new EventSource("/api/v1/accounts/" + this.key + "/events");
        // What happens from now on is told, so what happened before is asked now.
        this.stream.onopen = () => { this.say("live", true); this.load(); };
        this.stream.addEventListener("applied", event => {
          this.take([JSON.parse(event.data)]);
          this.refresh();
        });
        this.stream.addEventListener("refused", () => this.refresh());
        this.stream.onerror = () => {
          this.say("connecting again", false);
          if (this.stream.readyState !== EventSource.CLOSED) return;
          this.retry = setTimeout(() => this.listen(), 3000);
        };
      }

      stop() {
        clearTimeout(this.retry);
        this.stream.close();
      }

      async load() {
        try {
          await this.refresh();
          const page = await ask("accounts/" + this.key + "/history?limit=50");
          // The newest page may be far from what was shown before the stream broke.
          this.entries.clear();
          this.hasEarlier = page.next !== null;
          this.take(page.entries);
        } catch (error) {
          this.say(error.message, false);
        }
      }

      // Many events are one question: the answer to it is newer than all of them.
      async refresh() {
        this.isStale = true;
        if (this.isAsking) return;
        this.isAsking = true;
        try {
          while (this.isStale) {
            this.isStale = false;
            this.showAccount(await ask("accounts/" + this.key));
            await refreshLedger();
          }
        } catch (error) {
          this.say(error.message, false);
        }
        this.isAsking = false;
      }

      async earlier() {
        const page = await ask(
          "accounts/" + this.key + "/history?limit=50&before=" + Math.min(...this.entries.keys()));
        this.hasEarlier = page.next !== null;
        this.limit = Math.max(shownLimit, this.entries.size + page.entries.length);
        this.take(page.entries);
      }

      take(entries) {
        for (const entry of entries) this.entries.set(entry.position, entry);
        const positions = [...this.entries.keys()].sort((a, b) => b - a);
        for (const position of positions.slice(this.limit ?? shownLimit)) {
          this.entries.delete(position);
          this.hasEarlier = true;
        }
        if (this.isDrawing) return;
        this.isDrawing = true;
        requestAnimationFrame(() => { this.isDrawing = false; this.show(); });
      }

      showAccount(account) {
        if (followed !== this) return;
        $("balance").textContent = grouped(account.balance);
        const pending = account.pending > 0
          ? "; " + grouped(account.expected_balance) + " when "
            + counted(account.pending, "transfer", "transfers") + " under way are final"
          : "";
        $("next").textContent = "its next transfer is number " + grouped(account.next) + pending;
      }

      show() {
        if (followed !== null && followed !== this) return;
        const entries = [...this.entries.values()].sort((a, b) => b.position - a.position);
        $("entries").replaceChildren(...entries.map(entry => this.row(entry)));
        $("earlier").hidden = !this.hasEarlier;
        $("history").hidden = entries.length === 0;
        $("empty").hidden = entries.length > 0;
      }

      row(entry) {
        const row = make("tr", undefined, entry.direction === "in" ? "in" : "out");
        const others = entry.direction === "in" ? [entry.account] : entry.destinations.map(d => d.account);
        const cell = make("td", undefined, "with");
        cell.append(entry.direction === "in" ? "from " : "to ");
        const other = make("bdi", named(others[0]));
        other.title = others.join("\n");
        cell.append(other, others.length > 1 ? " and " + (others.length - 1) + " more" : "");
        const memo = make("td", undefined, "memo");
        memo.append(make("bdi", entry.memo));
        const proof = make("td", undefined, "proof");
        const link = make("a", "certificate");
        link.href = "/api/v1/transfers/" + encodeURIComponent(entry.id) + "/certificate";
        proof.append(link);
        const sign = entry.direction === "in" ? "+" : "−";
        row.append(
          make("td", grouped(entry.position)), cell, memo, make("td", sign + grouped(entry.amount), "amount"),
          make("td", grouped(entry.balance), "balance"), proof);
        return row;
      }
    }

    function follow(key) {
      if (followed?.key === key) return;
      followed?.stop();
      followed = null;
      $("key").value = key;
      history.replaceState(null, "", "#" + key);
      followed = new Follower(key);
    }

    // Paying: the encoded form of the description's SignedTransfer.

    const bytesOf = hex => Uint8Array.from(hex.match(/../g) ?? [], pair => parseInt(pair, 16));
    const hexOf = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("");
    const integer = (value, count) => bytesOf(BigInt(value).toString(16).padStart(2 * count, "0"));
    const joined = parts => Uint8Array.from(parts.flatMap(part => [...part]));

    function encoded(transfer) {
      return joined([
        bytesOf(transfer.account), integer(transfer.sequence, 8), integer(transfer.funds, 8),
        integer(transfer.destinations.length, 1),
        ...transfer.destinations.flatMap(d => [bytesOf(d.account), integer(d.amount, 8)]),
        integer(transfer.memo.length, 2), transfer.memo]);
    }

    async function signed(transfer, seed) {
      const body = encoded(transfer);
      const label = new TextEncoder().encode("starling transfer 1");
      const statement = joined([integer(label.length, 2), label, bytesOf(ledger.ledger), body]);
      // RFC 8410: a private key of Ed25519 as PKCS #8 is this and the seed.
      const key = joined([bytesOf("302e020100300506032b657004220420"), bytesOf(seed)]);
      const secret = await crypto.subtle.importKey("pkcs8", key, "Ed25519", false, ["sign"]);
      return hexOf(body) + hexOf(new Uint8Array(await crypto.subtle.sign("Ed25519", secret, statement)));
    }

    let wallet = [];

    function intended() {
      const from = wallet[$("from").selectedIndex];
      const wanted = $("to").value.trim();
      const to = wallet.find(key => key.name === wanted)?.account ?? wanted;
      if (!isKey(to)) throw new Error("Pay to one of the names, or to a key of 64 digits of 0–9 and a–f.");
      const text = $("amount").value.trim();
      if (!isAmount(text) || BigInt(text) === 0n || BigInt(text) > greatest)
        throw new Error("The amount is a whole number, 1 or more, in the smallest unit.");
      const memo = new TextEncoder().encode($("memo").value);
      if (memo.length > 256) throw new Error("The memo has more than 256 bytes: shorten it.");
      return { from, to, amount: BigInt(text), memo };
    }

    function report(title) {
      const item = make("li");
      const state = make("b", "signing");
      const detail = make("span", title);
      item.append(state, detail);
      $("payments").prepend(item);
      while ($("payments").children.length > 8) $("payments").lastChild.remove();
      return (className, word, more) => {
        item.className = className;
        state.textContent = word;
        detail.textContent = more ? title + ": " + more : title;
      };
    }

    // An answer that was lost says nothing: the same bytes are handed in again, since other ones under the same number could
    // block the account for ever.
    async function handIn(hex, tell) {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await ask("transfers", { method: "POST", body: JSON.stringify({ transfer: hex }) });
        } catch (error) {
          if (attempt >= 60 || ![0, 429, 503].includes(error.status)) throw error;
          tell("", "trying again", error.message);
          await pause(1000);
        }
      }
    }

    async function settle(id, hex, tell) {
      for (let wait = 100; ; wait = Math.min(2000, wait * 1.5)) {
        let known = null;
        try { known = await ask("transfers/" + id); } catch { /* It is asked again. */ }
        if (known?.state === "final" && known.transfer === hex) return tell("final", "final");
        if (known?.state === "final") return tell("refused", "refused", "another transfer of this number is final.");
        if (known?.state === "refused") return tell("refused", "refused", known.reason);
        // The node was restarted and has forgotten it.
        if (known?.state === "unknown") {
          try { await handIn(hex, tell); } catch (error) { return tell("refused", "refused", error.message); }
        }
        await pause(wait);
      }
    }

    async function pay(event) {
      event.preventDefault();
      let tell = null;
      $("pay-button").disabled = true;
      try {
        const { from, to, amount, memo } = intended();
        tell = report(grouped(amount) + " from " + from.name + " to " + named(to));
        if (!ledger) await refreshLedger();
        const account = await ask("accounts/" + from.account);
        if (BigInt(account.expected_balance) < amount)
          throw new Error(from.name + " holds " + grouped(account.expected_balance) + ": pay less.");
        const hex = await signed({
          account: from.account, sequence: account.expected_next, funds: account.expected_balance,
          destinations: [{ account: to, amount }], memo,
        }, from.seed);
        tell("", "handing in");
        const receipt = await handIn(hex, tell);
        tell("", "under way");
        $("amount").value = "";
        $("memo").value = "";
        settle(receipt.id, hex, tell);
      } catch (error) {
        (tell ?? report("Not paid"))("refused", "refused", error.message);
      }
      $("pay-button").disabled = false;
    }

    async function openWallet() {
      try {
        wallet = (await ask("demo/wallet")).keys;
      } catch {
        return;
      }
      for (const key of wallet) {
        names.set(key.account, key.name);
        $("from").append(make("option", key.name));
        const option = make("option");
        option.value = key.name;
        $("names").append(option);
        const chip = make("button", key.name, "quiet");
        chip.type = "button";
        chip.value = key.account;
        chip.setAttribute("aria-pressed", "false");
        chip.addEventListener("click", () => follow(key.account));
        $("chips").append(chip);
      }
      $("pay").hidden = wallet.length === 0;
      if (globalThis.crypto?.subtle) return;
      $("pay-button").disabled = true;
      report("Browsers sign only for this machine: open the page at 127.0.0.1")("refused", "cannot sign");
    }

    $("follow-form").addEventListener("submit", event => {
      event.preventDefault();
      const wanted = $("key").value.trim().toLowerCase();
      alarm(isKey(wanted) ? "" : "An account is named by its key: 64 digits of 0–9 and a–f.");
      if (isKey(wanted)) follow(wanted);
    });
    $("earlier").addEventListener("click", () => followed?.earlier().catch(error => alarm(error.message)));
    $("pay-form").addEventListener("submit", pay);

    (async () => {
      watchLedger();
      await openWallet();
      const start = location.hash.slice(1);
      if (isKey(start)) follow(start); else if (wallet.length > 0) follow(wallet[0].account);
    })();

    """#
}
