/**
 * What a configuration file says: one YAML file, secrets only by the name of an
 * environment variable.
 */
import { isCountry, policies } from "@stopline/consent"
import { Schema } from "effect"
import { AzureAccount } from "./vendors/azure.ts"
import { RingCentralAccount } from "./vendors/ringcentral.ts"
import { TwilioAccount } from "./vendors/twilio.ts"
import { FromEnvironment } from "./secret.ts"
import { Interval, Patience } from "./span.ts"

const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Limit = Schema.Struct({
  count: Schema.optionalKey(Count).annotateKey({ description: "At most so many, per account and round" }),
  share: Schema.optionalKey(Share).annotateKey({
    description: "Or this share of the pairs known there, if that is more"
  })
})

const MemberName = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9-]*\/(\+[1-9]\d{6,14}|[1-9]\d{2,7})$/u, {
    message: "Expected account/sender, such as contoso/+18005550100"
  })
)

export const Account = Schema.Union([AzureAccount, RingCentralAccount, TwilioAccount]).annotate({
  message: "Expected an account whose vendor is azure, ringcentral or twilio"
})
export type Account = typeof Account.Type

const Country = Schema.String.pipe(Schema.refine(isCountry, { message: "Expected two letters such as US" }))

const People = Schema.Struct({
  file: Schema.optionalKey(Schema.NonEmptyString).annotateKey({
    description: "One number per line, or a CSV with the number first"
  }),
  database: Schema.optionalKey(
    Schema.Struct({
      url: FromEnvironment.annotateKey({
        description: "The variable that holds postgres://user:password@host/database of your own"
      }),
      query: Schema.NonEmptyString.annotateKey({
        description: "One statement that reads: the number first, and then, if you like, when they were texted last"
      })
    })
  ),
  country: Schema.optionalKey(Country).annotateKey({ description: "Of numbers that have no +, such as US" }),
  every: Schema.optionalKey(Interval).annotateKey({
    description: "How often the list is read anew: 1 day"
  })
}).check(
  Schema.makeFilter(
    ({ database, file }) => (database === undefined) !== (file === undefined) || "Expected either a file or a database",
    { title: "one list" }
  )
)

export const ConfigFile = Schema.Struct({
  ledger: Schema.optionalKey(
    Schema.Struct({
      url: FromEnvironment.annotateKey({
        description: "The variable that holds postgres://user:password@host/database"
      })
    })
  ).annotateKey({ description: "Where the ledger is. Left out: a Postgres of our own in .stopline/" }),
  accounts: Schema.Array(Account).check(Schema.isMinLength(1)),
  groups: Schema.optionalKey(
    Schema.Array(Schema.Struct({ name: Schema.NonEmptyString, senders: Schema.Array(MemberName) }))
  ).annotateKey({ description: "Senders that speak for one brand. Left out: one group of all senders" }),
  people: Schema.optionalKey(People).annotateKey({
    description: "Everybody you text: where a provider cannot list, they are asked about"
  }),
  policy: Schema.optionalKey(
    Schema.Struct({
      optIn: Schema.optionalKey(Schema.Literals(policies)),
      confirm: Schema.optionalKey(Patience).annotateKey({
        description: "How long to look for evidence before a lifted block is put back: 10 minutes"
      }),
      guard: Schema.optionalKey(
        Schema.Struct({
          optOuts: Schema.optionalKey(Limit),
          optIns: Schema.optionalKey(Limit),
          absences: Schema.optionalKey(Limit)
        })
      )
    })
  ),
  http: Schema.optionalKey(
    Schema.Struct({
      host: Schema.optionalKey(Schema.NonEmptyString),
      port: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
      publicUrl: Schema.optionalKey(
        Schema.String.check(Schema.isPattern(/^https?:\/\/[^/]+$/u, { message: "Expected https://host, no path" }))
      ).annotateKey({ description: "How providers reach this worker; webhooks are at /webhooks/<account> below it" }),
      drain: Schema.optionalKey(Patience).annotateKey({
        description: "How long a worker that is told to stop still takes webhooks while /readyz says no: 0 seconds"
      }),
      perSecond: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))).annotateKey({
        description: "Requests that one key may make in a second of each worker: 1000"
      })
    })
  ),
  telemetry: Schema.optionalKey(
    Schema.Struct({
      otlp: Schema.optionalKey(
        Schema.Struct({
          url: Schema.String.check(
            Schema.isPattern(/^https?:\/\/[^\s?#]+$/u, {
              message: "Expected a collector such as http://localhost:4318"
            })
          ),
          headers: Schema.optionalKey(FromEnvironment).annotateKey({
            description: "The variable that holds name=value,name=value, such as authorization=Bearer%20…"
          })
        })
      ).annotateKey({
        description:
          "Where traces, logs and metrics are sent. Left out: where OTEL_EXPORTER_OTLP_ENDPOINT says, if it does"
      }),
      sample: Schema.optionalKey(Share).annotateKey({ description: "The share of traces that are sent: 1" })
    })
  ),
  schedule: Schema.optionalKey(
    Schema.Struct({
      every: Schema.optionalKey(Interval).annotateKey({ description: "Between two rounds: 1 minute" }),
      listen: Schema.optionalKey(Interval).annotateKey({
        description: "Between two looks at a webhook subscription that a provider may give up: 5 minutes"
      }),
      sweep: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))).annotateKey({
        description: "Recipients of each sender asked about per round where a provider cannot list: 500"
      }),
      sweepPerHour: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))).annotateKey({
        description: "Pairs of a sender and a person asked about in any hour, of all senders of an account: 30000"
      })
    })
  )
}).annotate({ title: "Stopline configuration", description: "See README.md" })
export type ConfigFile = typeof ConfigFile.Type
