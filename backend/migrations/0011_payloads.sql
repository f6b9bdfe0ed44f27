CREATE TABLE "call_payloads" (
	"call_id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"sealed" text NOT NULL,
	"bytes" bigint NOT NULL,
	"kept_until" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "call_payload_rules" (
	"account_id" text NOT NULL,
	"instance_id" text NOT NULL,
	"days" integer NOT NULL,
	"most_bytes" integer NOT NULL,
	"redact" jsonb NOT NULL,
	CONSTRAINT "call_payload_rules_account_id_instance_id_pk" PRIMARY KEY("account_id","instance_id")
);
--> statement-breakpoint
CREATE INDEX "payload_until" ON "call_payloads" USING btree ("kept_until");--> statement-breakpoint
CREATE INDEX "payload_of" ON "call_payloads" USING btree ("account_id","instance_id");