ALTER TABLE "account_tool_environments" ADD COLUMN "update_asked" jsonb;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "update_state" jsonb;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "update_refusal" jsonb;