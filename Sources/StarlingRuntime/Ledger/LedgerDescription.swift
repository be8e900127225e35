/// What the ledger's part of the control interface offers, for programs: an OpenAPI 3.1 document, the same as docs/openapi.json.
enum LedgerDescription {
  /// The document.
  static let bytes = Array(text.utf8)

  private static let text = #"""
    {
      "openapi": "3.1.0",
      "info": {
        "title": "Starling ledger",
        "version": "1",
        "license": { "name": "Apache 2.0", "identifier": "Apache-2.0" },
        "description": "The payments interface of a node that was started with --genesis FILE, at its control address.\n\nKeys, identifiers, hashes and signatures are lower-case hexadecimal digits. Amounts are strings of decimal digits, since readers that hold numbers as doubles lose those above 2^53; sequence numbers and counts are numbers. A transfer is named by its account and its sequence number; there is at most one final transfer for each.\n\nEvery error is an object with one sentence that says what was wrong and what to do. A method that is not described here is answered with 405, and a path that is not with 404. Requests of web pages are refused, but for those of the page at /, and so are requests whose Host is a name other than localhost."
      },
      "servers": [{ "url": "/" }],
      "paths": {
        "/": {
          "get": {
            "operationId": "page",
            "summary": "The page for people: follows an account, and pays from a demonstration wallet.",
            "responses": {
              "200": { "description": "The page.", "content": { "text/html": { "schema": { "type": "string" } } } },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/openapi.json": {
          "get": {
            "operationId": "description",
            "summary": "This description.",
            "responses": {
              "200": {
                "description": "An OpenAPI document.",
                "content": { "application/json": { "schema": { "type": "object" } } }
              },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/ledger": {
          "get": {
            "operationId": "ledger",
            "summary": "The ledger as the node has it: its supply, its members, and the hash of its state.",
            "responses": {
              "200": {
                "description": "The ledger.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Ledger" } } }
              },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/ledger/genesis": {
          "get": {
            "operationId": "genesis",
            "summary": "The genesis file. Whether it is the right one shows its hash.",
            "responses": {
              "200": { "description": "The file.", "content": { "text/plain": { "schema": { "type": "string" } } } },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/accounts/{account}": {
          "parameters": [{ "$ref": "#/components/parameters/Account" }],
          "get": {
            "operationId": "account",
            "summary": "An account: what it holds, and what a wallet signs next from. One that nobody has credited holds nothing.",
            "responses": {
              "200": {
                "description": "The account.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Account" } } }
              },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/accounts/{account}/history": {
          "parameters": [{ "$ref": "#/components/parameters/Account" }],
          "get": {
            "operationId": "history",
            "summary": "A page of what happened to an account, the newest first.",
            "parameters": [
              {
                "name": "before",
                "in": "query",
                "description": "Only entries with a smaller position: what the last page gave as next.",
                "schema": { "type": "integer", "minimum": 0, "maximum": 18446744073709551615 }
              },
              {
                "name": "limit",
                "in": "query",
                "description": "How many entries at most.",
                "schema": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 50 }
              }
            ],
            "responses": {
              "200": {
                "description": "The page.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/History" } } }
              },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/accounts/{account}/events": {
          "parameters": [{ "$ref": "#/components/parameters/Account" }],
          "get": {
            "operationId": "events",
            "summary": "What happens to an account from now on, as server-sent events.",
            "description": "Event 'applied': the data is an Entry. Event 'refused': a transfer from the account was given up, and the data is a Refusal. Comments keep the stream alive. A client that does not read 256 KiB is cut off; whoever was cut off asks for the history again.",
            "responses": {
              "200": {
                "description": "The stream, which does not end by itself.",
                "content": { "text/event-stream": { "schema": { "type": "string" } } }
              },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/transfers": {
          "post": {
            "operationId": "submit",
            "summary": "Hands in signed transfers. Handing in the same again does nothing.",
            "parameters": [
              {
                "name": "wait",
                "in": "query",
                "description": "For how many seconds the answer may wait until all are final or refused. Where too many wait already, it comes at once.",
                "schema": { "type": "integer", "minimum": 0, "maximum": 60, "default": 0 }
              }
            ],
            "requestBody": {
              "required": true,
              "content": {
                "application/json": {
                  "schema": {
                    "oneOf": [
                      { "$ref": "#/components/schemas/Submission" },
                      { "$ref": "#/components/schemas/Submissions" }
                    ]
                  }
                }
              }
            },
            "responses": {
              "200": {
                "description": "The transfer is final; of several, one result for each.",
                "content": {
                  "application/json": {
                    "schema": {
                      "oneOf": [
                        { "$ref": "#/components/schemas/Receipt" },
                        { "$ref": "#/components/schemas/Receipts" }
                      ]
                    }
                  }
                }
              },
              "202": {
                "description": "The transfer is under way.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Receipt" } } }
              },
              "400": {
                "description": "The request is malformed, or the transfer can never be applied.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
              },
              "403": {
                "description": "The signature is not the account owner's for this ledger, or a web page asks.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
              },
              "404": { "$ref": "#/components/responses/NotFound" },
              "409": {
                "description": "The number is used, in use, or too great, or the account holds less than the transfer states.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
              },
              "411": {
                "description": "The request does not state its length.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
              },
              "413": {
                "description": "The body is too long.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
              },
              "429": {
                "description": "Too many transfers of the account are under way.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
              },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/transfers/{transfer}": {
          "parameters": [{ "$ref": "#/components/parameters/Transfer" }],
          "get": {
            "operationId": "transfer",
            "summary": "A transfer as the node knows it. One that it has not heard of is of state unknown.",
            "responses": {
              "200": {
                "description": "The transfer.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Transfer" } } }
              },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/transfers/{transfer}/confirmation": {
          "parameters": [{ "$ref": "#/components/parameters/Transfer" }],
          "get": {
            "operationId": "confirmation",
            "summary": "This node's own word that a transfer is final.",
            "responses": {
              "200": {
                "description": "Its word.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Confirmation" } } }
              },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "409": { "$ref": "#/components/responses/NotFinal" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/transfers/{transfer}/certificate": {
          "parameters": [{ "$ref": "#/components/parameters/Transfer" }],
          "get": {
            "operationId": "certificate",
            "summary": "The word of one member more than may lie that a transfer is final: a file that proves it without this node.",
            "responses": {
              "200": { "description": "The file.", "content": { "text/plain": { "schema": { "type": "string" } } } },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "409": { "$ref": "#/components/responses/NotFinal" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        },
        "/api/v1/demo/wallet": {
          "get": {
            "operationId": "demoWallet",
            "summary": "Keys that everybody may have and pay with. Only a node that was started for demonstration gives any away.",
            "responses": {
              "200": {
                "description": "The keys, with their secret halves.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/DemoWallet" } } }
              },
              "400": { "$ref": "#/components/responses/BadRequest" },
              "403": { "$ref": "#/components/responses/Forbidden" },
              "404": { "$ref": "#/components/responses/NotFound" },
              "503": { "$ref": "#/components/responses/Unavailable" }
            }
          }
        }
      },
      "components": {
        "parameters": {
          "Account": {
            "name": "account",
            "in": "path",
            "required": true,
            "description": "The account: its owner's Ed25519 key.",
            "schema": { "$ref": "#/components/schemas/Key" }
          },
          "Transfer": {
            "name": "transfer",
            "in": "path",
            "required": true,
            "description": "The transfer's identifier.",
            "schema": { "$ref": "#/components/schemas/Identifier" }
          }
        },
        "responses": {
          "BadRequest": {
            "description": "The request is malformed.",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
          },
          "Forbidden": {
            "description": "A web page asks, or the Host is a name.",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
          },
          "NotFound": {
            "description": "The node keeps no ledger, or nothing is at the path.",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
          },
          "NotFinal": {
            "description": "The transfer is not final at this node.",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
          },
          "Unavailable": {
            "description": "The node has too much to do, cannot reach enough others, or is stopping: ask again later, or another node.",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
          }
        },
        "schemas": {
          "Key": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
          "Hash": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
          "Signature": { "type": "string", "pattern": "^[0-9a-f]{128}$" },
          "Identifier": {
            "description": "An account, a hyphen, and a sequence number.",
            "type": "string",
            "pattern": "^[0-9a-f]{64}-(0|[1-9][0-9]{0,19})$"
          },
          "Amount": { "description": "In the smallest unit.", "type": "string", "pattern": "^(0|[1-9][0-9]{0,19})$" },
          "Count": { "type": "integer", "minimum": 0 },
          "SignedTransfer": {
            "description": "A transfer and its owner's Ed25519 signature, encoded. All integers are big-endian. The transfer: the account's key (32 bytes); its sequence number (8), from 0 on without gaps; its funds (8), what the account holds before it; the number of destinations (1), from 1 to 16; for each its key (32) and its amount (8), 1 or more; the number of the memo's bytes (2), at most 256, and the memo in UTF-8. Then the signature (64), which is over: the number 19 (2), the text 'starling transfer 1' (19), the ledger's hash (32), and the encoded transfer.",
            "type": "string",
            "minLength": 310,
            "maxLength": 2022,
            "pattern": "^([0-9a-f]{2})+$"
          },
          "State": { "type": "string", "enum": ["pending", "final", "refused", "unknown"] },
          "Error": {
            "type": "object",
            "required": ["error"],
            "additionalProperties": false,
            "properties": { "error": { "description": "One sentence.", "type": "string", "minLength": 1 } }
          },
          "Ledger": {
            "type": "object",
            "required": [
              "ledger", "network", "members", "byzantine", "supply", "total", "accounts", "transfers", "state_hash",
              "waiting"
            ],
            "additionalProperties": false,
            "properties": {
              "ledger": { "description": "The genesis' hash, which names the ledger.", "$ref": "#/components/schemas/Hash" },
              "network": { "type": "string" },
              "members": { "type": "array", "minItems": 1, "items": { "$ref": "#/components/schemas/Key" } },
              "byzantine": { "description": "How many members may lie.", "$ref": "#/components/schemas/Count" },
              "supply": { "description": "All there ever is.", "$ref": "#/components/schemas/Amount" },
              "total": { "description": "The sum of all balances.", "$ref": "#/components/schemas/Amount" },
              "accounts": { "$ref": "#/components/schemas/Count" },
              "transfers": { "description": "How many were applied.", "$ref": "#/components/schemas/Count" },
              "state_hash": {
                "description": "Equal at nodes that were delivered the same.",
                "$ref": "#/components/schemas/Hash"
              },
              "waiting": {
                "description": "How many transfers were delivered and wait for others.",
                "$ref": "#/components/schemas/Count"
              }
            }
          },
          "Account": {
            "type": "object",
            "required": ["account", "balance", "next", "expected_balance", "expected_next", "pending"],
            "additionalProperties": false,
            "properties": {
              "account": { "$ref": "#/components/schemas/Key" },
              "balance": { "$ref": "#/components/schemas/Amount" },
              "next": { "description": "The number of its next transfer.", "$ref": "#/components/schemas/Count" },
              "expected_balance": {
                "description": "What it will hold when what is under way here is applied.",
                "$ref": "#/components/schemas/Amount"
              },
              "expected_next": {
                "description": "The number that a wallet signs next.",
                "$ref": "#/components/schemas/Count"
              },
              "pending": { "$ref": "#/components/schemas/Count" },
              "known": { "description": "False when nobody has credited it yet.", "type": "boolean" }
            }
          },
          "Destination": {
            "type": "object",
            "required": ["account", "amount"],
            "additionalProperties": false,
            "properties": {
              "account": { "$ref": "#/components/schemas/Key" },
              "amount": { "$ref": "#/components/schemas/Amount" }
            }
          },
          "Destinations": {
            "type": "array",
            "minItems": 1,
            "maxItems": 16,
            "items": { "$ref": "#/components/schemas/Destination" }
          },
          "Entry": {
            "type": "object",
            "required": [
              "position", "id", "direction", "account", "sequence", "amount", "destinations", "memo", "balance"
            ],
            "additionalProperties": false,
            "properties": {
              "position": {
                "description": "Its place in the account's history, from 0 on.",
                "$ref": "#/components/schemas/Count"
              },
              "id": { "$ref": "#/components/schemas/Identifier" },
              "direction": { "type": "string", "enum": ["in", "out"] },
              "account": { "description": "Who paid.", "$ref": "#/components/schemas/Key" },
              "sequence": { "$ref": "#/components/schemas/Count" },
              "amount": {
                "description": "What left the account, or what came into it.",
                "$ref": "#/components/schemas/Amount"
              },
              "destinations": { "$ref": "#/components/schemas/Destinations" },
              "memo": { "type": "string" },
              "balance": { "description": "What the account held afterwards.", "$ref": "#/components/schemas/Amount" }
            }
          },
          "Refusal": {
            "type": "object",
            "required": ["id", "reason"],
            "additionalProperties": false,
            "properties": {
              "id": { "$ref": "#/components/schemas/Identifier" },
              "reason": { "type": "string", "minLength": 1 }
            }
          },
          "History": {
            "type": "object",
            "required": ["account", "entries", "next"],
            "additionalProperties": false,
            "properties": {
              "account": { "$ref": "#/components/schemas/Key" },
              "entries": { "type": "array", "maxItems": 1000, "items": { "$ref": "#/components/schemas/Entry" } },
              "next": {
                "description": "What to pass as before for the next page; null when there is none.",
                "type": ["integer", "null"],
                "minimum": 0
              }
            }
          },
          "Submission": {
            "type": "object",
            "required": ["transfer"],
            "additionalProperties": false,
            "properties": { "transfer": { "$ref": "#/components/schemas/SignedTransfer" } }
          },
          "Submissions": {
            "type": "object",
            "required": ["transfers"],
            "additionalProperties": false,
            "properties": {
              "transfers": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1024,
                "items": { "$ref": "#/components/schemas/SignedTransfer" }
              }
            }
          },
          "Receipt": {
            "type": "object",
            "required": ["id", "state"],
            "additionalProperties": false,
            "properties": {
              "id": { "$ref": "#/components/schemas/Identifier" },
              "state": { "$ref": "#/components/schemas/State" },
              "reason": { "type": "string", "minLength": 1 }
            }
          },
          "Receipts": {
            "type": "object",
            "required": ["results"],
            "additionalProperties": false,
            "properties": {
              "results": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1024,
                "items": {
                  "type": "object",
                  "required": ["id", "state", "error"],
                  "additionalProperties": false,
                  "properties": {
                    "id": { "$ref": "#/components/schemas/Identifier" },
                    "state": { "$ref": "#/components/schemas/State" },
                    "error": { "type": ["string", "null"] }
                  }
                }
              }
            }
          },
          "Transfer": {
            "description": "What the node does not know is null.",
            "type": "object",
            "required": ["id", "state", "reason", "transfer", "account", "sequence", "destinations", "memo"],
            "additionalProperties": false,
            "properties": {
              "id": { "$ref": "#/components/schemas/Identifier" },
              "state": { "$ref": "#/components/schemas/State" },
              "reason": { "type": ["string", "null"] },
              "transfer": { "oneOf": [{ "$ref": "#/components/schemas/SignedTransfer" }, { "type": "null" }] },
              "account": { "oneOf": [{ "$ref": "#/components/schemas/Key" }, { "type": "null" }] },
              "sequence": { "type": ["integer", "null"], "minimum": 0 },
              "destinations": { "oneOf": [{ "$ref": "#/components/schemas/Destinations" }, { "type": "null" }] },
              "memo": { "type": ["string", "null"] }
            }
          },
          "Confirmation": {
            "type": "object",
            "required": ["member", "signature", "transfer"],
            "additionalProperties": false,
            "properties": {
              "member": { "$ref": "#/components/schemas/Key" },
              "signature": { "$ref": "#/components/schemas/Signature" },
              "transfer": { "$ref": "#/components/schemas/SignedTransfer" }
            }
          },
          "DemoWallet": {
            "type": "object",
            "required": ["keys"],
            "additionalProperties": false,
            "properties": {
              "keys": {
                "type": "array",
                "items": {
                  "type": "object",
                  "required": ["name", "account", "seed"],
                  "additionalProperties": false,
                  "properties": {
                    "name": { "type": "string" },
                    "account": { "$ref": "#/components/schemas/Key" },
                    "seed": { "type": "string", "pattern": "^[0-9a-f]{64}$" }
                  }
                }
              }
            }
          }
        }
      }
    }

    """#
}
