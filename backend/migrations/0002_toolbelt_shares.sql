ALTER TABLE "agent_toolbelt_items" ADD COLUMN "plain_names" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "agent_toolbelt_items" ADD COLUMN "prompts" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "agent_toolbelt_items" ADD COLUMN "resources" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "toolbelt_plain_once" ON "agent_toolbelt_items" USING btree ("agent_id") WHERE "agent_toolbelt_items"."plain_names";