CREATE TABLE "agent_tool_offers" (
	"toolbelt_item_id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"capabilities" jsonb NOT NULL,
	"digest" text NOT NULL,
	"asked_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "agent_tool_offers" ADD CONSTRAINT "agent_tool_offers_toolbelt_item_id_agent_toolbelt_items_id_fk" FOREIGN KEY ("toolbelt_item_id") REFERENCES "public"."agent_toolbelt_items"("id") ON DELETE cascade ON UPDATE no action;