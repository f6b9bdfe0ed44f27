ALTER TABLE "account_tool_environments" ADD COLUMN "direct" jsonb;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "clock_skew_ms" bigint;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "bearer_expires_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "renewals" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "renewal" jsonb;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "recoveries" integer DEFAULT 0 NOT NULL;