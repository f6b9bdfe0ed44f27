CREATE TABLE "call_approvals" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"agent_id" text NOT NULL,
	"agent_name" text NOT NULL,
	"toolbelt_item_id" text NOT NULL,
	"instance_name" text NOT NULL,
	"capability" text NOT NULL,
	"destructive" boolean,
	"read_only" boolean,
	"call_id" text NOT NULL,
	"via" text NOT NULL,
	"arguments" text,
	"argument_digest" text NOT NULL,
	"argument_bytes" bigint NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"owner" text NOT NULL,
	"held_until" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"decided_at" timestamp (3) with time zone,
	"decided_by" text,
	"always" boolean DEFAULT false NOT NULL,
	"reason" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "approval_state" CHECK ("call_approvals"."state" in ('waiting','approved','denied','expired','withdrawn'))
);
--> statement-breakpoint
ALTER TABLE "agent_tool_capability_permissions" ADD COLUMN "ask" boolean;--> statement-breakpoint
ALTER TABLE "agent_toolbelt_items" ADD COLUMN "ask_patterns" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "call_settings" ADD COLUMN "approval_seconds" integer DEFAULT 300 NOT NULL;--> statement-breakpoint
ALTER TABLE "agent_tools" ADD COLUMN "welcomed_digest" text;--> statement-breakpoint
ALTER TABLE "tool_calls" ADD COLUMN "decided_by" text;--> statement-breakpoint
CREATE INDEX "approval_time" ON "call_approvals" USING btree ("account_id","created_at");--> statement-breakpoint
CREATE INDEX "approval_waiting" ON "call_approvals" USING btree ("account_id","agent_id") WHERE "call_approvals"."state" = 'waiting';