using StreamLstm.Daemon.Commands;

return await CommandLine.InvokeAsync(args);
