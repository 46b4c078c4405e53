{{ typed('crm', 'opportunities') }}
