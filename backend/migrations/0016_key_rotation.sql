ALTER TABLE "account_tool_environments" ADD COLUMN "key_rotation_asked" jsonb;--> statement-breakpoint
ALTER TABLE "account_tool_environments" ADD COLUMN "key_rotation_refusal" jsonb;