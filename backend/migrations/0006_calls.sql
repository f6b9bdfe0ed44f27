CREATE TABLE "call_chains" (
	"account_id" text PRIMARY KEY NOT NULL,
	"sequence" bigint NOT NULL,
	"hash" text NOT NULL,
	"removed_sequence" bigint NOT NULL,
	"removed_hash" text NOT NULL,
	"unchained" bigint NOT NULL,
	"tampered_at" bigint,
	"seal" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "call_counts" (
	"account_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"scope" text NOT NULL,
	"window_start" timestamp (3) with time zone NOT NULL,
	"count" integer NOT NULL,
	CONSTRAINT "call_counts_agent_id_scope_window_start_pk" PRIMARY KEY("agent_id","scope","window_start")
);
--> statement-breakpoint
CREATE TABLE "call_settings" (
	"account_id" text PRIMARY KEY NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"retention_days" integer
);
--> statement-breakpoint
CREATE TABLE "execute_keys" (
	"account_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"key" text NOT NULL,
	"request_digest" text NOT NULL,
	"until" timestamp (3) with time zone NOT NULL,
	"answer" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "execute_keys_agent_id_key_pk" PRIMARY KEY("agent_id","key")
);
--> statement-breakpoint
ALTER TABLE "agents" ADD COLUMN "limits" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "via" text;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "instance_generation" integer;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "spec_digest" text;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "capability_digest" text;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "result_digest" text;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "sequence" bigint;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "previous_hash" text;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "hash" text;--> statement-breakpoint
CREATE UNIQUE INDEX "call_sequence" ON "tool_calls" USING btree ("account_id","sequence");